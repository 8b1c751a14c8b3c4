-- +goose Up
CREATE TABLE page_policies (
	name       TEXT PRIMARY KEY,
	team       TEXT NOT NULL,
	policy     TEXT NOT NULL, -- JSON, with where it is written
	updated_at BIGINT NOT NULL
);
CREATE INDEX page_policies_team ON page_policies (team);

-- How a person is reached. Without verified_at it is never used.
CREATE TABLE page_methods (
	id          TEXT PRIMARY KEY,
	person      TEXT NOT NULL,
	title       TEXT NOT NULL,
	spec        TEXT NOT NULL, -- JSON; may hold secrets
	created_at  BIGINT NOT NULL,
	verified_at BIGINT NOT NULL,
	disabled_at BIGINT NOT NULL,
	code_hash   TEXT NOT NULL,
	code_until  BIGINT NOT NULL,
	code_tries  BIGINT NOT NULL
);
CREATE INDEX page_methods_person ON page_methods (person, id);

-- The order, the delays and the hours that people chose for themselves.
CREATE TABLE page_preferences (
	person     TEXT PRIMARY KEY,
	spec       TEXT NOT NULL, -- JSON
	updated_at BIGINT NOT NULL
);

CREATE TABLE page_pages (
	id              TEXT PRIMARY KEY,
	group_id        TEXT NOT NULL,
	policy          TEXT NOT NULL, -- JSON: the policy as it was
	team            TEXT NOT NULL,
	severity        TEXT NOT NULL,
	state           TEXT NOT NULL,
	notice          TEXT NOT NULL, -- JSON
	began_at        BIGINT NOT NULL,
	taken           BOOLEAN NOT NULL,
	round           BIGINT NOT NULL,
	step            BIGINT NOT NULL,
	step_at         BIGINT NOT NULL,
	acknowledged_at BIGINT NOT NULL,
	acknowledged_by TEXT NOT NULL, -- JSON
	ended_at        BIGINT NOT NULL
);
CREATE INDEX page_pages_group ON page_pages (group_id, state);
CREATE INDEX page_pages_state ON page_pages (state, id);

-- What is due when. set_at tells when that was decided: where it lies ahead, the
-- clock was put back, and what was due moves with it.
CREATE TABLE page_steps (
	id      TEXT PRIMARY KEY,
	page    TEXT NOT NULL,
	round   BIGINT NOT NULL,
	step    BIGINT NOT NULL, -- -1: the fallback
	state   TEXT NOT NULL,
	due_at  BIGINT NOT NULL,
	set_at  BIGINT NOT NULL,
	done_at BIGINT NOT NULL,
	trace   TEXT NOT NULL -- JSON
);
CREATE INDEX page_steps_due ON page_steps (state, due_at);
CREATE INDEX page_steps_page ON page_steps (page, id);

-- One message to one person by one method. The id is the key that travels with
-- each send.
CREATE TABLE page_messages (
	id         TEXT PRIMARY KEY,
	page       TEXT NOT NULL,
	person     TEXT NOT NULL, -- or channel:name
	round      BIGINT NOT NULL,
	step       BIGINT NOT NULL,
	way        TEXT NOT NULL,
	kind       TEXT NOT NULL, -- of the way
	state      TEXT NOT NULL,
	due_at     BIGINT NOT NULL,
	set_at     BIGINT NOT NULL,
	handed_at  BIGINT NOT NULL,
	ended_at   BIGINT NOT NULL,
	delivery   TEXT NOT NULL,
	late       BOOLEAN NOT NULL
);
CREATE INDEX page_messages_due ON page_messages (state, due_at);
CREATE INDEX page_messages_page ON page_messages (page, person);
CREATE INDEX page_messages_delivery ON page_messages (delivery);

-- Keys that this server made for itself.
CREATE TABLE page_keys (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);
