-- +goose Up
CREATE TABLE journal_entries (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id   TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    also       TEXT NOT NULL, -- JSON array of references
    data       TEXT NOT NULL, -- JSON
    cause      TEXT NOT NULL,
    seal       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX journal_entries_at ON journal_entries (at, id);
CREATE INDEX journal_entries_kind ON journal_entries (kind, at, id);
CREATE INDEX journal_entries_unsealed ON journal_entries (seal, at, id);

-- Every reference of an entry, its subject among them, so that a page finds all
-- that touches one thing.
CREATE TABLE journal_refs (
    ref   TEXT NOT NULL,
    at    BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (ref, at, entry)
);

CREATE TABLE journal_seals (
    number    BIGINT PRIMARY KEY,
    sealed_at BIGINT NOT NULL,
    upto      BIGINT NOT NULL, -- entries before this minute are in it
    entries   BIGINT NOT NULL,
    hash      BYTEA NOT NULL,
    previous  BYTEA NOT NULL
);
