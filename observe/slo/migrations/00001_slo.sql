-- +goose Up

-- The documents that objectives are made of, as they were applied: SLO, SLI,
-- AlertPolicy, AlertCondition, AlertNotificationTarget. refs lists what the
-- document refers to, as ' Kind/name Kind/name '.
CREATE TABLE slo_parts (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL, -- JSON
    refs TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- An objective as it is executed. revision changes with every change; counted
-- identifies the queries, and with them what the ledger holds.
CREATE TABLE slo_definitions (
    name       TEXT PRIMARY KEY,
    revision   TEXT NOT NULL,
    counted    TEXT NOT NULL,
    data       TEXT NOT NULL, -- JSON
    managed_by TEXT NOT NULL  -- JSON
);

-- One row, counted up with every change of any definition.
CREATE TABLE slo_generation (
    id BIGINT PRIMARY KEY,
    n  BIGINT NOT NULL
);
INSERT INTO slo_generation (id, n) VALUES (1, 0);

-- What lists and pages read. The upper half follows the definition, the lower
-- half is written after each evaluation.
CREATE TABLE slo_status (
    name      TEXT PRIMARY KEY,
    title     TEXT NOT NULL,
    service   TEXT NOT NULL,
    owner     TEXT NOT NULL,
    tier      TEXT NOT NULL,
    system    TEXT NOT NULL,
    objective DOUBLE PRECISION NOT NULL,
    period    BIGINT NOT NULL, -- seconds

    watermark   BIGINT NOT NULL DEFAULT 0, -- the first minute that was not read yet; 0 before the first
    missing     TEXT NOT NULL DEFAULT '[]', -- JSON: minutes before it that are still to be read
    rules       TEXT NOT NULL DEFAULT '{}', -- JSON: since when which rule holds
    status      TEXT NOT NULL DEFAULT 'unknown',
    rank        BIGINT NOT NULL DEFAULT 3,
    reason      TEXT NOT NULL DEFAULT '{"en":"not evaluated yet","ja":"まだ評価していません"}', -- JSON
    exact       BOOLEAN NOT NULL DEFAULT FALSE,
    good        DOUBLE PRECISION NOT NULL DEFAULT 0,
    total       DOUBLE PRECISION NOT NULL DEFAULT 0,
    sli         DOUBLE PRECISION NOT NULL DEFAULT 1,
    budget_left DOUBLE PRECISION NOT NULL DEFAULT 1,
    known       DOUBLE PRECISION NOT NULL DEFAULT 0,
    burn        TEXT NOT NULL DEFAULT '{}', -- JSON: burn rate by window
    burn_hour   DOUBLE PRECISION NOT NULL DEFAULT 0,
    exhausts_at BIGINT NOT NULL DEFAULT 0, -- 0: not in sight
    backfill    TEXT NOT NULL DEFAULT '{}', -- JSON
    updated_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX slo_status_service ON slo_status (service);
CREATE INDEX slo_status_rank ON slo_status (rank, budget_left, name);

-- Total and bad events of each minute, packed by the hour since 1970 UTC.
CREATE TABLE slo_ledger (
    slo  TEXT NOT NULL,
    hour BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (slo, hour)
);

CREATE TABLE slo_alerts (
    id          TEXT PRIMARY KEY,
    slo         TEXT NOT NULL,
    service     TEXT NOT NULL,
    owner       TEXT NOT NULL,
    severity    TEXT NOT NULL,
    state       TEXT NOT NULL, -- firing, resolved
    since       BIGINT NOT NULL,
    resolved_at BIGINT NOT NULL DEFAULT 0,
    data        TEXT NOT NULL -- JSON, as in the journal
);
CREATE UNIQUE INDEX slo_alerts_open ON slo_alerts (slo, severity) WHERE state = 'firing';
CREATE INDEX slo_alerts_since ON slo_alerts (since, id);

-- Data sources that do not answer, so that each coming and going is told once.
CREATE TABLE slo_sources (
    name  TEXT PRIMARY KEY,
    since BIGINT NOT NULL,
    error TEXT NOT NULL -- JSON
);
