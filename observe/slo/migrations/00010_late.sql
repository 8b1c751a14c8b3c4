-- +goose Up

-- Minutes of which a source learned something after they were read.
CREATE TABLE slo_late (
    id          TEXT   NOT NULL PRIMARY KEY,
    slo         TEXT   NOT NULL,
    from_minute BIGINT NOT NULL,
    to_minute   BIGINT NOT NULL
);
