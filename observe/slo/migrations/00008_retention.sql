-- +goose Up

-- How many parts of a day are kept: 24 hours, later one.
ALTER TABLE slo_days ADD COLUMN parts BIGINT NOT NULL DEFAULT 24;
