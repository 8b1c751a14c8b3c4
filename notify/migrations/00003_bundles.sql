-- +goose Up

-- A delivery that waited for a limit goes inside of another one: its carrier.
ALTER TABLE notify_deliveries ADD COLUMN carrier TEXT NOT NULL DEFAULT '';
CREATE INDEX notify_deliveries_carrier ON notify_deliveries (carrier);

-- How many messages a limited channel has taken since when.
ALTER TABLE notify_health ADD COLUMN paced_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notify_health ADD COLUMN paced BIGINT NOT NULL DEFAULT 0;
