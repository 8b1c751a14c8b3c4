-- name: AddVersion :exec
INSERT INTO oncall_versions (schedule, number, in_force, document, file, lines, by_actor)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: VersionsOf :many
SELECT * FROM oncall_versions WHERE schedule = $1 ORDER BY number;

-- name: LastVersion :one
SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) AS number, CAST(COALESCE(MAX(in_force), 0) AS BIGINT) AS in_force
FROM oncall_versions WHERE schedule = $1;

-- name: PutSchedule :exec
INSERT INTO oncall_schedules (name, title, owner, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, owner = excluded.owner, version = excluded.version;

-- name: DropSchedule :exec
DELETE FROM oncall_schedules WHERE name = $1;

-- name: GetSchedule :one
SELECT * FROM oncall_schedules WHERE name = $1;

-- name: ListSchedules :many
SELECT * FROM oncall_schedules ORDER BY name;

-- name: AddOverride :exec
INSERT INTO oncall_overrides (id, schedule, role, change, person, instead, from_at, to_at, reason, swap, created_at, created_by, ended_at, ended_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, '');

-- name: EndOverride :execrows
UPDATE oncall_overrides SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at = 0;

-- name: GetOverride :one
SELECT * FROM oncall_overrides WHERE id = $1;

-- name: OverridesOf :many
SELECT * FROM oncall_overrides WHERE schedule = sqlc.arg(schedule) AND to_at > sqlc.arg(since) AND from_at < sqlc.arg(until)
ORDER BY created_at, id;

-- name: AddSwap :exec
INSERT INTO oncall_swaps (id, schedule, role, asker, asked, from_at, to_at, back_from, back_to, reason, state, created_at, created_by, settled_at, settled_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'requested', $11, $12, 0, '');

-- name: SettleSwap :execrows
UPDATE oncall_swaps SET state = $2, settled_at = $3, settled_by = $4 WHERE id = $1 AND state = 'requested';

-- name: GetSwap :one
SELECT * FROM oncall_swaps WHERE id = $1;

-- name: SwapsOf :many
SELECT * FROM oncall_swaps WHERE schedule = sqlc.arg(schedule) AND (to_at > sqlc.arg(since) OR back_to > sqlc.arg(since))
ORDER BY from_at, id;

-- name: AddHandover :exec
INSERT INTO oncall_handovers (id, schedule, body, created_at, created_by) VALUES ($1, $2, $3, $4, $5);

-- name: HandoversOf :many
SELECT * FROM oncall_handovers WHERE schedule = sqlc.arg(schedule) AND (created_at < sqlc.arg(before_at) OR sqlc.arg(before_at) = 0)
ORDER BY created_at DESC, id DESC LIMIT sqlc.arg(most);

-- name: AddFeed :exec
INSERT INTO oncall_feeds (id, hash, schedule, person, lang, maker, created_at, read_at, revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0);

-- name: FeedByHash :one
SELECT * FROM oncall_feeds WHERE hash = $1 AND revoked_at = 0;

-- name: GetFeed :one
SELECT * FROM oncall_feeds WHERE id = $1;

-- name: FeedsOf :many
SELECT * FROM oncall_feeds WHERE maker = $1 AND revoked_at = 0 ORDER BY created_at DESC, id;

-- name: RevokeFeed :execrows
UPDATE oncall_feeds SET revoked_at = $2 WHERE id = $1 AND revoked_at = 0;

-- name: TouchFeed :exec
UPDATE oncall_feeds SET read_at = $2 WHERE id = $1;

-- name: TellGap :execrows
INSERT INTO oncall_gaps (schedule, from_at, to_at, told_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: ForgetGaps :exec
DELETE FROM oncall_gaps WHERE to_at < $1;
