-- name: PutSource :exec
INSERT INTO metrics_sources (name, title, is_default, settings, updated_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET
    title = excluded.title,
    is_default = excluded.is_default,
    settings = excluded.settings,
    updated_at = excluded.updated_at;

-- name: DropSource :exec
DELETE FROM metrics_sources WHERE name = $1;

-- name: ListSources :many
SELECT name, title, is_default, settings, updated_at FROM metrics_sources ORDER BY name;

-- name: OtherDefaults :many
SELECT name FROM metrics_sources WHERE is_default AND name <> $1 ORDER BY name;
