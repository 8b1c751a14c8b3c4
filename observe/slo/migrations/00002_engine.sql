-- +goose Up

-- The place of an objective in the rows below, its own for good: one whose
-- queries change gets another, so that what the former counted is not taken for
-- its own. slots is how many were given away.
ALTER TABLE slo_generation ADD COLUMN slots BIGINT NOT NULL DEFAULT 0;
ALTER TABLE slo_definitions ADD COLUMN slot BIGINT NOT NULL DEFAULT 0;
UPDATE slo_definitions SET slot = (SELECT COUNT(*) FROM slo_definitions d WHERE d.name < slo_definitions.name);
UPDATE slo_generation SET slots = (SELECT COUNT(*) FROM slo_definitions);
CREATE UNIQUE INDEX slo_definitions_slot ON slo_definitions (slot);

-- What was counted in the hours that are not closed yet: one row for each minute
-- and sixteenth of the objectives, packed as a ledger.Column by slot. Closed
-- hours are in slo_ledger, which wins where both know a minute.
CREATE TABLE slo_minutes (
    shard  BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    data   BYTEA NOT NULL,
    PRIMARY KEY (shard, minute)
);

-- Where the objectives of a sixteenth stand: the first minute that was not
-- counted yet, and packed by slot the sums of their windows and what the next
-- minute must remember.
CREATE TABLE slo_shards (
    shard  BIGINT PRIMARY KEY,
    minute BIGINT NOT NULL,
    state  BYTEA NOT NULL
);
