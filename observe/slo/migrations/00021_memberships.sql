-- +goose Up

-- What objectives belonged to before that changed: in force up to superseded_at.
CREATE TABLE slo_former_memberships (
    slo           TEXT NOT NULL,
    superseded_at BIGINT NOT NULL,
    service       TEXT NOT NULL,
    owner         TEXT NOT NULL,
    tier          TEXT NOT NULL,
    system        TEXT NOT NULL,
    PRIMARY KEY (slo, superseded_at)
);
