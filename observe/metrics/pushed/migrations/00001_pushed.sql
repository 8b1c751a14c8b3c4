-- +goose Up

-- A stream of events under one set of labels.
CREATE TABLE pushed_streams (
    id            TEXT   NOT NULL PRIMARY KEY, -- of name and labels
    name          TEXT   NOT NULL,
    labels        TEXT   NOT NULL, -- JSON object
    every_seconds BIGINT NOT NULL, -- how often something must arrive; 0: silence means that nothing happened
    first_minute  BIGINT NOT NULL,
    last_minute   BIGINT NOT NULL,
    pushed_at     BIGINT NOT NULL  -- the latest push
);

CREATE INDEX pushed_streams_name ON pushed_streams (name);

-- What happened in each minute; minute m covers (m·60 s, (m+1)·60 s].
CREATE TABLE pushed_minutes (
    stream TEXT             NOT NULL,
    minute BIGINT           NOT NULL,
    good   DOUBLE PRECISION NOT NULL,
    total  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (stream, minute)
);

-- The pushes that were taken, so that none is taken twice.
CREATE TABLE pushed_keys (
    stream    TEXT   NOT NULL, -- the name, without labels
    key       TEXT   NOT NULL,
    digest    TEXT   NOT NULL, -- of the content
    pushed_at BIGINT NOT NULL,
    PRIMARY KEY (stream, key)
);

CREATE INDEX pushed_keys_age ON pushed_keys (pushed_at);
