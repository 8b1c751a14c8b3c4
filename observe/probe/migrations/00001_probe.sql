-- +goose Up

CREATE TABLE probe_probes (
    name        TEXT   NOT NULL PRIMARY KEY,
    title       TEXT   NOT NULL,
    description TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    owner       TEXT   NOT NULL, -- of the service, as the catalog says
    tier        TEXT   NOT NULL,
    system      TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    target      TEXT   NOT NULL, -- for people, without secrets
    spec        TEXT   NOT NULL, -- JSON
    revision    TEXT   NOT NULL, -- changes with the spec
    slo         TEXT   NOT NULL, -- the objective that it brings along, or ''
    updated_at  BIGINT NOT NULL
);

-- What is known of a probe at a location.
CREATE TABLE probe_states (
    probe     TEXT             NOT NULL,
    location  TEXT             NOT NULL,
    state     TEXT             NOT NULL, -- up, down, unknown
    reason    TEXT             NOT NULL, -- JSON, in both languages
    since     BIGINT           NOT NULL,
    last_at   BIGINT           NOT NULL, -- of the latest result; 0 before the first
    last_ms   DOUBLE PRECISION NOT NULL,
    good      BIGINT           NOT NULL, -- checks so far, for counters
    bad       BIGINT           NOT NULL,
    PRIMARY KEY (probe, location)
);

-- The latest results with where their time went.
CREATE TABLE probe_results (
    probe    TEXT             NOT NULL,
    location TEXT             NOT NULL,
    due      BIGINT           NOT NULL, -- when it was to begin: at most one result for each
    outcome  TEXT             NOT NULL,
    total_ms DOUBLE PRECISION NOT NULL,
    data     TEXT             NOT NULL, -- JSON
    PRIMARY KEY (probe, location, due)
);

CREATE INDEX probe_results_age ON probe_results (due);

-- Where agents are.
CREATE TABLE probe_locations (
    name    TEXT   NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    version TEXT   NOT NULL,
    silent  BIGINT NOT NULL -- 1 once its silence was told
);
