-- +goose Up
CREATE TABLE metrics_sources (
    name       TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    settings   TEXT NOT NULL, -- JSON of connectionDetails
    updated_at BIGINT NOT NULL
);
