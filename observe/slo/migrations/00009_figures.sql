-- +goose Up

-- Counted up each time a shard is written.
ALTER TABLE slo_shards ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

-- What was counted is in slo_ledger, where an objective stands in slo_shards: the
-- figures here are not written any more. After this an objective is summed up
-- from its ledger once.
DROP INDEX slo_status_rank;
ALTER TABLE slo_status DROP COLUMN watermark;
ALTER TABLE slo_status DROP COLUMN missing;
ALTER TABLE slo_status DROP COLUMN rules;
ALTER TABLE slo_status DROP COLUMN status;
ALTER TABLE slo_status DROP COLUMN rank;
ALTER TABLE slo_status DROP COLUMN reason;
ALTER TABLE slo_status DROP COLUMN exact;
ALTER TABLE slo_status DROP COLUMN good;
ALTER TABLE slo_status DROP COLUMN total;
ALTER TABLE slo_status DROP COLUMN sli;
ALTER TABLE slo_status DROP COLUMN budget_left;
ALTER TABLE slo_status DROP COLUMN known;
ALTER TABLE slo_status DROP COLUMN burn;
ALTER TABLE slo_status DROP COLUMN burn_hour;
ALTER TABLE slo_status DROP COLUMN exhausts_at;
ALTER TABLE slo_status DROP COLUMN backfill;
ALTER TABLE slo_status DROP COLUMN updated_at;
