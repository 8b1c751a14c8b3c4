-- +goose Up

CREATE TABLE routing_documents (
	name       TEXT PRIMARY KEY,
	team       TEXT NOT NULL, -- empty: the organisation's
	spec       TEXT NOT NULL, -- JSON
	file       TEXT NOT NULL,
	places     TEXT NOT NULL, -- JSON: field to line and column
	updated_at BIGINT NOT NULL
);

CREATE TABLE routing_silences (
	id         TEXT PRIMARY KEY, -- UUIDv7
	matchers   TEXT NOT NULL, -- JSON list
	author     TEXT NOT NULL,
	reason     TEXT NOT NULL,
	starts_at  BIGINT NOT NULL,
	ends_at    BIGINT NOT NULL, -- earlier than was said where it was ended by hand
	created_at BIGINT NOT NULL,
	created_by TEXT NOT NULL, -- JSON
	changed_at BIGINT NOT NULL,
	told       TEXT NOT NULL DEFAULT '' -- ending, expired: what was said of its end
);
CREATE INDEX routing_silences_end ON routing_silences (ends_at, id);

-- Changes whenever anything changes by which alerts are routed.
CREATE TABLE routing_version (
	id      BIGINT PRIMARY KEY,
	version BIGINT NOT NULL
);
INSERT INTO routing_version (id, version) VALUES (1, 1);
