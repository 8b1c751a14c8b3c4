-- +goose Up

-- What arrived and was not entered yet, in a file of its own, so that taking in
-- waits for nobody who writes to the database.
CREATE TABLE alert_batches (
	id           TEXT PRIMARY KEY,
	received_at  BIGINT NOT NULL,
	processed_at BIGINT NOT NULL DEFAULT 0,
	count        BIGINT NOT NULL,
	data         BYTEA NOT NULL
);
CREATE INDEX alert_batches_waiting ON alert_batches (id) WHERE processed_at = 0;
