-- +goose Up
-- One row for each piece of work that only one replica may do at a time.
CREATE TABLE queue_leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    ran_at     BIGINT NOT NULL DEFAULT 0
);
