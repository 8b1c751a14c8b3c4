-- +goose Up

-- Documents as they were last applied. The rooms' own tables are made from them.
CREATE TABLE ascode_documents (
    id          TEXT   NOT NULL PRIMARY KEY, -- Kind/namespace/name, the last two in lower case
    kind        TEXT   NOT NULL,
    api_version TEXT   NOT NULL,
    namespace   TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    owner       TEXT   NOT NULL,             -- the team that may edit it, '' if none
    body        TEXT   NOT NULL,             -- JSON
    revision    BIGINT NOT NULL,
    managed_by  TEXT   NOT NULL,             -- 'code:<set>' or 'browser'
    file        TEXT   NOT NULL,
    line        BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE INDEX ascode_documents_managed_by ON ascode_documents (managed_by);

-- What each document was at each revision, removals included: a document that
-- comes back goes on counting where it left off.
CREATE TABLE ascode_revisions (
    id       TEXT   NOT NULL,
    revision BIGINT NOT NULL,
    action   TEXT   NOT NULL, -- 'added', 'changed' or 'removed'
    body     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (id, revision)
);

-- One row, locked by whoever applies: applies happen one after another.
CREATE TABLE ascode_turn (
    id    BIGINT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);

INSERT INTO ascode_turn (id, taken) VALUES (1, 0);
