-- +goose Up

-- The intake log: what arrived, in the order in which it was made durable. All
-- requests that were in flight together are one row.
CREATE TABLE alert_batches (
	id           TEXT PRIMARY KEY, -- UUIDv7
	received_at  BIGINT NOT NULL,
	processed_at BIGINT NOT NULL DEFAULT 0,
	count        BIGINT NOT NULL,
	data         BYTEA NOT NULL -- zstd of the packed events
);
CREATE INDEX alert_batches_waiting ON alert_batches (id) WHERE processed_at = 0;
CREATE INDEX alert_batches_old ON alert_batches (received_at);

CREATE TABLE alert_integrations (
	name       TEXT PRIMARY KEY,
	spec       TEXT NOT NULL, -- JSON
	owner      TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL DEFAULT 0, -- when something last arrived
	received   BIGINT NOT NULL DEFAULT 0, -- events, in all
	unread     BIGINT NOT NULL DEFAULT 0  -- of these, in no known format
);

-- The key itself is shown once; its hash is kept.
CREATE TABLE alert_keys (
	id           TEXT PRIMARY KEY,
	integration  TEXT NOT NULL,
	hash         TEXT NOT NULL UNIQUE,
	hint         TEXT NOT NULL,
	created_at   BIGINT NOT NULL,
	created_by   TEXT NOT NULL
);
CREATE INDEX alert_keys_integration ON alert_keys (integration);

CREATE TABLE alert_alerts (
	id              TEXT PRIMARY KEY,
	fingerprint     TEXT NOT NULL,
	occurrence      BIGINT NOT NULL,
	integration     TEXT NOT NULL,
	state           TEXT NOT NULL,
	severity        TEXT NOT NULL,
	title           TEXT NOT NULL,
	body            TEXT NOT NULL,
	service         TEXT NOT NULL,
	team            TEXT NOT NULL,
	labels          TEXT NOT NULL, -- JSON
	annotations     TEXT NOT NULL, -- JSON
	link            TEXT NOT NULL,
	runbook         TEXT NOT NULL,
	fired_at        BIGINT NOT NULL, -- as people are told
	fired_source    BIGINT NOT NULL, -- by the clock of the source, 0 where it did not say
	fired_arrived   BIGINT NOT NULL,
	ended_source    BIGINT NOT NULL,
	ended_arrived   BIGINT NOT NULL,
	last_at         BIGINT NOT NULL,
	until_at        BIGINT NOT NULL, -- when it ends unless its source repeats it
	acknowledged_at BIGINT NOT NULL,
	acknowledged_by TEXT NOT NULL,
	resolved_at     BIGINT NOT NULL,
	reason          TEXT NOT NULL, -- why it ended, where its source did not say that it did
	count           BIGINT NOT NULL,
	content         TEXT NOT NULL, -- hash of what its source said last
	suppressed      TEXT NOT NULL,
	first_event     TEXT NOT NULL, -- batch and number
	last_event      TEXT NOT NULL,
	usefulness      TEXT NOT NULL DEFAULT '',
	judged_by       TEXT NOT NULL DEFAULT ''
);
-- At most one open alert for each fingerprint.
CREATE UNIQUE INDEX alert_alerts_one_open ON alert_alerts (fingerprint) WHERE state <> 'resolved';
CREATE UNIQUE INDEX alert_alerts_occurrence ON alert_alerts (fingerprint, occurrence);
CREATE INDEX alert_alerts_state ON alert_alerts (state, fired_at, id);
CREATE INDEX alert_alerts_fired ON alert_alerts (fired_at, id);
CREATE INDEX alert_alerts_resolved ON alert_alerts (resolved_at) WHERE state = 'resolved';

CREATE TABLE alert_groups (
	id              TEXT PRIMARY KEY,
	key             TEXT NOT NULL,
	state           TEXT NOT NULL,
	receiver        TEXT NOT NULL, -- JSON
	route           TEXT NOT NULL,
	trace           TEXT NOT NULL, -- JSON
	severity        TEXT NOT NULL,
	title           TEXT NOT NULL,
	body            TEXT NOT NULL,
	service         TEXT NOT NULL,
	team            TEXT NOT NULL,
	labels          TEXT NOT NULL, -- JSON, what all alerts have in common
	link            TEXT NOT NULL,
	runbook         TEXT NOT NULL,
	repeat_every    BIGINT NOT NULL,
	opened_at       BIGINT NOT NULL,
	told_at         BIGINT NOT NULL,
	acknowledged_at BIGINT NOT NULL,
	acknowledged_by TEXT NOT NULL,
	resolved_at     BIGINT NOT NULL,
	count           BIGINT NOT NULL, -- of open alerts
	total           BIGINT NOT NULL, -- of all alerts that were ever in it
	cause           TEXT NOT NULL
);
CREATE UNIQUE INDEX alert_groups_one_open ON alert_groups (key) WHERE state <> 'resolved';
CREATE INDEX alert_groups_state ON alert_groups (state, opened_at, id);
CREATE INDEX alert_groups_opened ON alert_groups (opened_at, id);

CREATE TABLE alert_members (
	group_id  TEXT NOT NULL,
	alert_id  TEXT NOT NULL,
	joined_at BIGINT NOT NULL,
	PRIMARY KEY (group_id, alert_id)
);
CREATE INDEX alert_members_alert ON alert_members (alert_id);
