-- +goose Up

CREATE TABLE catalog_entities (
    ref         TEXT   NOT NULL PRIMARY KEY, -- kind:namespace/name in lower case
    kind        TEXT   NOT NULL,             -- in lower case
    namespace   TEXT   NOT NULL,
    name        TEXT   NOT NULL,             -- as it was written
    short       TEXT   NOT NULL,             -- name, or namespace/name outside the default one; lower case
    title       TEXT   NOT NULL,
    description TEXT   NOT NULL,
    owner       TEXT   NOT NULL,             -- short name of the owning team, or user:name
    system      TEXT   NOT NULL,             -- short name
    domain      TEXT   NOT NULL,             -- short name
    type        TEXT   NOT NULL,
    lifecycle   TEXT   NOT NULL,
    tier        TEXT   NOT NULL,
    email       TEXT   NOT NULL,
    tags        TEXT   NOT NULL,             -- JSON list
    links       TEXT   NOT NULL,             -- JSON list
    annotations TEXT   NOT NULL,             -- JSON object
    search      TEXT   NOT NULL,             -- what a search looks through, lower case
    updated_at  BIGINT NOT NULL
);

CREATE INDEX catalog_entities_kind ON catalog_entities (kind, short);
CREATE INDEX catalog_entities_owner ON catalog_entities (owner);

-- Directed relations; origin is the entity whose document says so, which may be
-- either end.
CREATE TABLE catalog_relations (
    source TEXT NOT NULL,
    type   TEXT NOT NULL,
    target TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (source, type, target, origin)
);

CREATE INDEX catalog_relations_target ON catalog_relations (target, type);
CREATE INDEX catalog_relations_origin ON catalog_relations (origin);
