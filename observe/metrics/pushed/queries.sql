-- name: PutStream :exec
INSERT INTO pushed_streams (id, name, labels, every_seconds, first_minute, last_minute, pushed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET every_seconds = excluded.every_seconds, pushed_at = excluded.pushed_at,
    first_minute = CASE WHEN excluded.first_minute < pushed_streams.first_minute THEN excluded.first_minute ELSE pushed_streams.first_minute END,
    last_minute = CASE WHEN excluded.last_minute > pushed_streams.last_minute THEN excluded.last_minute ELSE pushed_streams.last_minute END;

-- name: StreamExists :one
SELECT COUNT(*) FROM pushed_streams WHERE id = $1;

-- name: CountStreams :one
SELECT COUNT(*) FROM pushed_streams;

-- name: CountStreamsOf :one
SELECT COUNT(*) FROM pushed_streams WHERE name = $1;

-- name: ListStreams :many
SELECT * FROM pushed_streams ORDER BY name, labels;

-- name: ListStreamsOf :many
SELECT * FROM pushed_streams WHERE name = $1 ORDER BY labels;

-- name: PutKey :execrows
INSERT INTO pushed_keys (stream, key, digest, pushed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: GetKey :one
SELECT digest FROM pushed_keys WHERE stream = $1 AND key = $2;

-- name: AddMinute :one
INSERT INTO pushed_minutes (stream, minute, good, total) VALUES ($1, $2, $3, $4)
ON CONFLICT (stream, minute) DO UPDATE SET good = pushed_minutes.good + excluded.good, total = pushed_minutes.total + excluded.total
RETURNING good, total;

-- name: Minutes :many
SELECT minute, good, total FROM pushed_minutes WHERE stream = $1 AND minute >= sqlc.arg(from_minute) AND minute < sqlc.arg(to_minute) ORDER BY minute;

-- name: SumBefore :one
SELECT CAST(COALESCE(SUM(good), 0) AS DOUBLE PRECISION) AS good, CAST(COALESCE(SUM(total), 0) AS DOUBLE PRECISION) AS total
FROM pushed_minutes WHERE stream = $1 AND minute < $2;

-- name: SumAll :many
SELECT stream, CAST(SUM(good) AS DOUBLE PRECISION) AS good, CAST(SUM(total) AS DOUBLE PRECISION) AS total
FROM pushed_minutes GROUP BY stream;

-- name: SumSince :many
SELECT s.labels, CAST(SUM(m.good) AS DOUBLE PRECISION) AS good, CAST(SUM(m.total) AS DOUBLE PRECISION) AS total
FROM pushed_streams s JOIN pushed_minutes m ON m.stream = s.id
WHERE s.name = $1 AND m.minute >= $2 GROUP BY s.id, s.labels;

-- name: DropKeys :exec
DELETE FROM pushed_keys WHERE pushed_at < $1;

-- name: DropMinutes :exec
DELETE FROM pushed_minutes WHERE minute < $1;

-- name: DropStreams :exec
DELETE FROM pushed_streams WHERE last_minute < $1;
