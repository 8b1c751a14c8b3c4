-- +goose Up

-- What a channel heard of a thread is looked up when another alert joins it.
CREATE INDEX notify_deliveries_thread ON notify_deliveries (thread, channel);
