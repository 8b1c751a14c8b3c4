-- +goose Up
CREATE TABLE access_users (
    id            TEXT PRIMARY KEY,
    login         TEXT NOT NULL UNIQUE, -- an e-mail address, lower-case
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    language      TEXT NOT NULL,
    password      TEXT NOT NULL, -- argon2id with its parameters; empty until it was chosen
    disabled      BOOLEAN NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    signed_in_at  BIGINT NOT NULL
);

CREATE TABLE access_memberships (
    user_id TEXT NOT NULL,
    team    TEXT NOT NULL, -- team:payments
    PRIMARY KEY (user_id, team)
);

CREATE TABLE access_sessions (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE, -- of the cookie's value
    user_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX access_sessions_user ON access_sessions (user_id);

CREATE TABLE access_tokens (
    id           TEXT PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE,
    hint         TEXT NOT NULL, -- how it begins, to recognise it by
    kind         TEXT NOT NULL, -- personal, service
    user_id      TEXT NOT NULL, -- whose it is, or who made it
    name         TEXT NOT NULL,
    role         TEXT NOT NULL, -- of a service token
    scopes       TEXT NOT NULL, -- JSON array
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_user ON access_tokens (user_id);

-- One-time links: to set up, to sign in, to accept an invitation.
CREATE TABLE access_links (
    id         TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    purpose    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Failed sign-ins of an account, a known browser or an address.
CREATE TABLE access_attempts (
    subject       TEXT PRIMARY KEY,
    failures      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);

-- Browsers from which a person has signed in before: guesses made elsewhere do
-- not slow them down.
CREATE TABLE access_devices (
    hash    TEXT PRIMARY KEY,
    id      TEXT NOT NULL,
    user_id TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- One row that every change of who administers takes first, so that two of them
-- cannot remove each other.
CREATE TABLE access_guard (
    id      TEXT PRIMARY KEY,
    changes BIGINT NOT NULL
);
INSERT INTO access_guard (id, changes) VALUES ('admins', 0);
