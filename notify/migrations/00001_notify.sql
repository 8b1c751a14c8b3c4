-- +goose Up
CREATE TABLE notify_channels (
	name        TEXT PRIMARY KEY,
	title       TEXT NOT NULL,
	description TEXT NOT NULL,
	spec        TEXT NOT NULL, -- JSON; may hold secrets
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL
);

-- What is known of a channel's receiver. The row is also the lock under which
-- attempts to one channel are begun.
CREATE TABLE notify_health (
	channel           TEXT PRIMARY KEY,
	last_attempt_at   BIGINT NOT NULL DEFAULT 0,
	last_delivered_at BIGINT NOT NULL DEFAULT 0,
	failing_since     BIGINT NOT NULL DEFAULT 0,
	failures          BIGINT NOT NULL DEFAULT 0,
	away              BOOLEAN NOT NULL DEFAULT FALSE,
	last_error        TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE notify_deliveries (
	id            TEXT PRIMARY KEY, -- UUIDv7: ordered by creation
	entry_id      TEXT NOT NULL,
	kind          TEXT NOT NULL,
	subject       TEXT NOT NULL,
	thread        TEXT NOT NULL,
	channel       TEXT NOT NULL,
	recipient     TEXT NOT NULL,
	state         TEXT NOT NULL,
	message       TEXT NOT NULL, -- JSON, complete, in both languages
	happened_at   BIGINT NOT NULL,
	created_at    BIGINT NOT NULL,
	next_at       BIGINT NOT NULL,
	claimed_until BIGINT NOT NULL,
	give_up_at    BIGINT NOT NULL,
	ended_at      BIGINT NOT NULL,
	attempts      BIGINT NOT NULL,
	last_error    TEXT NOT NULL,
	UNIQUE (entry_id, channel, recipient)
);
CREATE INDEX notify_deliveries_due ON notify_deliveries (state, next_at);
CREATE INDEX notify_deliveries_channel ON notify_deliveries (channel, state, id);
CREATE INDEX notify_deliveries_subject ON notify_deliveries (subject, id);
CREATE INDEX notify_deliveries_ended ON notify_deliveries (channel, ended_at);

CREATE TABLE notify_attempts (
	delivery_id TEXT NOT NULL,
	number      BIGINT NOT NULL,
	started_at  BIGINT NOT NULL,
	finished_at BIGINT NOT NULL,
	outcome     TEXT NOT NULL,
	code        BIGINT NOT NULL,
	answer      TEXT NOT NULL,
	error       TEXT NOT NULL, -- JSON, in both languages
	PRIMARY KEY (delivery_id, number)
);
