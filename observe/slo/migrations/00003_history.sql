-- +goose Up

-- When an hour of the ledger was written, in UTC microseconds. 0 is a row from
-- before that was kept; it counts as known since its hour was over.
ALTER TABLE slo_ledger ADD COLUMN written_at BIGINT NOT NULL DEFAULT 0;

-- Former versions of hours that were corrected: data was in force from
-- written_at up to superseded_at.
CREATE TABLE slo_revisions (
    slo           TEXT NOT NULL,
    hour          BIGINT NOT NULL,
    superseded_at BIGINT NOT NULL,
    written_at    BIGINT NOT NULL,
    data          BYTEA NOT NULL,
    PRIMARY KEY (slo, hour, superseded_at)
);

-- Former versions of definitions, in force up to superseded_at.
CREATE TABLE slo_former_definitions (
    slo           TEXT NOT NULL,
    superseded_at BIGINT NOT NULL,
    data          TEXT NOT NULL, -- JSON
    PRIMARY KEY (slo, superseded_at)
);

-- Days of which the minutes were given up: sums by the hour, later of the day.
CREATE TABLE slo_days (
    slo  TEXT NOT NULL,
    day  BIGINT NOT NULL, -- since 1970 UTC
    data BYTEA NOT NULL,
    PRIMARY KEY (slo, day)
);
