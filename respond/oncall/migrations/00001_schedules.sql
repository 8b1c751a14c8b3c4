-- +goose Up

-- Every version of every schedule, for good: who was on call in the past follows
-- from what was in force then.
CREATE TABLE oncall_versions (
    schedule TEXT   NOT NULL,
    number   BIGINT NOT NULL,
    in_force BIGINT NOT NULL, -- from when on
    document TEXT   NOT NULL, -- JSON; '' where the schedule was removed
    file     TEXT   NOT NULL, -- where it was written, '' for the browser
    lines    TEXT   NOT NULL, -- JSON: the line of each layer in that file
    by_actor TEXT   NOT NULL, -- JSON
    PRIMARY KEY (schedule, number)
);

-- Schedules that are there now, with the version in force.
CREATE TABLE oncall_schedules (
    name    TEXT   NOT NULL PRIMARY KEY,
    title   TEXT   NOT NULL,
    owner   TEXT   NOT NULL,
    version BIGINT NOT NULL
);

-- What people changed for a time. An override that was taken back stays, with the
-- moment until which it held.
CREATE TABLE oncall_overrides (
    id         TEXT   NOT NULL PRIMARY KEY,
    schedule   TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    change     TEXT   NOT NULL, -- 'add', 'remove' or 'replace'
    person     TEXT   NOT NULL, -- who comes, or goes where the change is 'remove'
    instead    TEXT   NOT NULL, -- who goes; '' for everybody
    from_at    BIGINT NOT NULL,
    to_at      BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    swap       TEXT   NOT NULL, -- the swap that it comes from, '' if none
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL, -- JSON
    ended_at   BIGINT NOT NULL, -- 0 while it was not taken back
    ended_by   TEXT   NOT NULL
);

CREATE INDEX oncall_overrides_schedule ON oncall_overrides (schedule, to_at);

-- Who asked whom to take a shift, and what became of it.
CREATE TABLE oncall_swaps (
    id         TEXT   NOT NULL PRIMARY KEY,
    schedule   TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    asker      TEXT   NOT NULL,
    asked      TEXT   NOT NULL,
    from_at    BIGINT NOT NULL, -- the asker's time, which the asked would take
    to_at      BIGINT NOT NULL,
    back_from  BIGINT NOT NULL, -- the time of the asked, which the asker takes in return; 0 if none
    back_to    BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- 'requested', 'accepted', 'declined' or 'withdrawn'
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    settled_at BIGINT NOT NULL,
    settled_by TEXT   NOT NULL
);

CREATE INDEX oncall_swaps_schedule ON oncall_swaps (schedule, to_at);

-- What a shift leaves to the next. A correction is another note.
CREATE TABLE oncall_handovers (
    id         TEXT   NOT NULL PRIMARY KEY,
    schedule   TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL
);

CREATE INDEX oncall_handovers_schedule ON oncall_handovers (schedule, created_at);

-- Addresses under which calendars read a schedule or a person's shifts.
CREATE TABLE oncall_feeds (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE, -- of the secret in the address
    schedule   TEXT   NOT NULL,        -- '' for all of a person's
    person     TEXT   NOT NULL,        -- '' for all of a schedule's
    lang       TEXT   NOT NULL,
    maker      TEXT   NOT NULL,        -- who may see and revoke it: the id of a person or token
    created_at BIGINT NOT NULL,
    read_at    BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL
);

CREATE INDEX oncall_feeds_maker ON oncall_feeds (maker);

-- Gaps that people were warned of, so that each is told once.
CREATE TABLE oncall_gaps (
    schedule TEXT   NOT NULL,
    from_at  BIGINT NOT NULL,
    to_at    BIGINT NOT NULL,
    told_at  BIGINT NOT NULL,
    PRIMARY KEY (schedule, from_at)
);
