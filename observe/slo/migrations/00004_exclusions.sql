-- +goose Up

-- Time that does not count, for one objective or many. A row is never removed,
-- and what it says is never rewritten: taking it back is noted in it, and a
-- changed maintenance window is another row.
CREATE TABLE slo_exclusions (
    id         TEXT PRIMARY KEY,
    document   TEXT NOT NULL, -- the MaintenanceWindow it comes from, or ''
    covers     TEXT NOT NULL, -- JSON: slos, services, systems, teams
    shape      TEXT NOT NULL, -- JSON: once, by a schedule, or outside business hours
    starts_at  BIGINT NOT NULL, -- nothing before is excluded
    ends_at    BIGINT NOT NULL, -- nothing from here on is excluded; the largest number where there is no end
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, -- JSON: the actor
    taken_back_at  BIGINT NOT NULL DEFAULT 0, -- 0: in force
    taken_back_by  TEXT NOT NULL DEFAULT '',  -- JSON: the actor
    taken_back_why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX slo_exclusions_document ON slo_exclusions (document);
CREATE INDEX slo_exclusions_ends ON slo_exclusions (ends_at);

-- Whom an exclusion covers, to search by.
CREATE TABLE slo_exclusion_covers (
    kind      TEXT NOT NULL, -- slo, service, system, team
    name      TEXT NOT NULL,
    exclusion TEXT NOT NULL,
    PRIMARY KEY (kind, name, exclusion)
);

-- Objectives whose figures must be summed again from the ledger, from a minute
-- on. asked changes with each request, so that one which comes during a rebuild
-- is not lost.
CREATE TABLE slo_rebuild (
    slo   TEXT PRIMARY KEY,
    since BIGINT NOT NULL, -- minute
    asked TEXT NOT NULL
);

-- Error-budget policies and service tiers, as they were applied.
CREATE TABLE slo_policies (
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- JSON
);
CREATE TABLE slo_tiers (
    name TEXT PRIMARY KEY,
    data TEXT NOT NULL -- JSON
);

-- The state of each objective under its error-budget policy, as it was last
-- told.
CREATE TABLE slo_policy_states (
    slo    TEXT PRIMARY KEY,
    policy TEXT NOT NULL,
    state  TEXT NOT NULL,
    since  BIGINT NOT NULL
);

-- Versions of what was agreed for an objective. terms is never rewritten.
CREATE TABLE slo_agreements (
    slo           TEXT NOT NULL,
    version       BIGINT NOT NULL,
    terms         TEXT NOT NULL, -- JSON
    stakeholders  TEXT NOT NULL, -- JSON: whose word it needs
    proposed_at   BIGINT NOT NULL,
    proposed_by   TEXT NOT NULL, -- JSON: the actor
    agreed_at     BIGINT NOT NULL DEFAULT 0,
    in_force_at   BIGINT NOT NULL DEFAULT 0,
    superseded_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (slo, version)
);

-- What stakeholders said to a version; the last word of each counts.
CREATE TABLE slo_agreement_words (
    id          TEXT PRIMARY KEY,
    slo         TEXT NOT NULL,
    version     BIGINT NOT NULL,
    stakeholder TEXT NOT NULL, -- '' for a waiver of all that is missing
    word        TEXT NOT NULL, -- agree, decline, waive
    comment     TEXT NOT NULL,
    at          BIGINT NOT NULL,
    by_actor    TEXT NOT NULL  -- JSON: the actor
);
CREATE INDEX slo_agreement_words_of ON slo_agreement_words (slo, version, id);
