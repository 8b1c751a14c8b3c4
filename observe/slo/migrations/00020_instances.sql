-- +goose Up

-- The instances of objectives that are taken apart by labels, as they were found.
-- One that is retired has no definition any more, but keeps its ledger.
CREATE TABLE slo_instances (
    name       TEXT PRIMARY KEY,
    whole      TEXT NOT NULL,           -- the objective that it is part of
    labels     TEXT NOT NULL,           -- JSON: the names
    matched    TEXT NOT NULL,           -- JSON: the values, each as a quoted literal, since they may be no text
    counted    TEXT NOT NULL,           -- as of slo_definitions: what its ledger holds
    found_at   BIGINT NOT NULL,
    absent     BIGINT NOT NULL DEFAULT 0, -- minutes in which others were seen and this one was not
    retired_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX slo_instances_whole ON slo_instances (whole, retired_at, name);

-- Objectives with instances that were refused.
CREATE TABLE slo_refusals (
    slo      TEXT PRIMARY KEY,
    state    TEXT NOT NULL,
    refused  BIGINT NOT NULL,
    examples TEXT NOT NULL, -- JSON: names
    since    BIGINT NOT NULL
);
