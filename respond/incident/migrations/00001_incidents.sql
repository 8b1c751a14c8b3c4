-- +goose Up

-- What is so now of each incident. What happened is in the journal.
CREATE TABLE incidents (
    number      BIGINT NOT NULL PRIMARY KEY, -- INC-<number>
    version     BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    severity    TEXT   NOT NULL,
    team        TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    declared_at BIGINT NOT NULL,
    ended_at    BIGINT NOT NULL, -- 0 while it is not closed, declined or merged
    look_at     BIGINT NOT NULL, -- when an update is overdue next, 0 if none is due
    body        TEXT   NOT NULL  -- JSON
);

CREATE INDEX incidents_state ON incidents (state, number);
CREATE INDEX incidents_look ON incidents (look_at) WHERE look_at > 0;

-- The last number that was given out.
CREATE TABLE incident_numbers (
    name TEXT   NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);

-- The services that an incident hurts.
CREATE TABLE incident_services (
    service  TEXT   NOT NULL,
    incident BIGINT NOT NULL,
    PRIMARY KEY (service, incident)
);

CREATE INDEX incident_services_incident ON incident_services (incident);

-- The groups of alerts that belong to an incident, each to one.
CREATE TABLE incident_groups (
    alert_group TEXT   NOT NULL PRIMARY KEY,
    incident    BIGINT NOT NULL
);

CREATE INDEX incident_groups_incident ON incident_groups (incident);

-- The policies that say what each severity means, as documents describe them.
CREATE TABLE incident_policies (
    name     TEXT NOT NULL PRIMARY KEY,
    owner    TEXT NOT NULL, -- a team; '' for all that have none of their own
    document TEXT NOT NULL  -- JSON
);
