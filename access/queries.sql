-- name: InsertUser :exec
INSERT INTO access_users (id, login, name, role, language, password, disabled, created_at, updated_at, signed_in_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: GetUser :one
SELECT * FROM access_users WHERE id = $1;

-- name: GetUserByLogin :one
SELECT * FROM access_users WHERE login = $1;

-- name: ListUsers :many
SELECT * FROM access_users
WHERE login > sqlc.arg(after) AND (lower(name) LIKE CAST(sqlc.arg(pattern) AS TEXT) ESCAPE '!' OR login LIKE CAST(sqlc.arg(pattern) AS TEXT) ESCAPE '!')
ORDER BY login LIMIT sqlc.arg(most);

-- name: UpdateUser :execrows
UPDATE access_users SET name = sqlc.arg(name), role = sqlc.arg(role), language = sqlc.arg(language),
    disabled = sqlc.arg(disabled), updated_at = sqlc.arg(updated_at)
WHERE id = sqlc.arg(id) AND updated_at = sqlc.arg(expected);

-- name: SetPassword :exec
UPDATE access_users SET password = sqlc.arg(password) WHERE id = sqlc.arg(id);

-- name: SetSignedIn :exec
UPDATE access_users SET signed_in_at = sqlc.arg(at) WHERE id = sqlc.arg(id);

-- name: CountAdmins :one
SELECT count(*) FROM access_users WHERE role = 'admin' AND disabled = false AND (password <> '' OR signed_in_at > 0);

-- name: LockAdmins :exec
UPDATE access_guard SET changes = changes + 1 WHERE id = 'admins';

-- name: InsertMembership :exec
INSERT INTO access_memberships (user_id, team) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: DeleteMemberships :exec
DELETE FROM access_memberships WHERE user_id = $1;

-- name: Memberships :many
SELECT team FROM access_memberships WHERE user_id = $1 ORDER BY team;

-- name: InsertSession :exec
INSERT INTO access_sessions (id, hash, user_id, created_at, seen_at, expires_at, address, agent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: GetSessionByHash :one
SELECT * FROM access_sessions WHERE hash = $1;

-- name: GetSession :one
SELECT * FROM access_sessions WHERE id = $1;

-- name: TouchSession :exec
UPDATE access_sessions SET seen_at = sqlc.arg(at), address = sqlc.arg(address) WHERE id = sqlc.arg(id) AND seen_at < sqlc.arg(at);

-- name: ListSessions :many
SELECT * FROM access_sessions
WHERE user_id = sqlc.arg(user_id) AND expires_at > sqlc.arg(now) AND seen_at > sqlc.arg(idle_since)
ORDER BY seen_at DESC, id;

-- name: DeleteSession :execrows
DELETE FROM access_sessions WHERE id = $1;

-- name: DeleteSessionsOf :execrows
DELETE FROM access_sessions WHERE user_id = sqlc.arg(user_id) AND id <> sqlc.arg(keep);

-- name: InsertToken :exec
INSERT INTO access_tokens (id, hash, hint, kind, user_id, name, role, scopes, created_at, expires_at, last_used_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0);

-- name: GetTokenByHash :one
SELECT * FROM access_tokens WHERE hash = $1;

-- name: GetToken :one
SELECT * FROM access_tokens WHERE id = $1;

-- name: ListTokens :many
SELECT * FROM access_tokens WHERE id < sqlc.arg(before) ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: ListTokensOf :many
SELECT * FROM access_tokens
WHERE user_id = sqlc.arg(user_id) AND kind = 'personal' AND id < sqlc.arg(before) ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: TouchToken :exec
UPDATE access_tokens SET last_used_at = sqlc.arg(at) WHERE id = sqlc.arg(id) AND last_used_at < sqlc.arg(at);

-- name: DeleteToken :execrows
DELETE FROM access_tokens WHERE id = $1;

-- name: DeletePersonalTokensOf :execrows
DELETE FROM access_tokens WHERE user_id = $1 AND kind = 'personal';

-- name: InsertLink :exec
INSERT INTO access_links (id, hash, purpose, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: GetLink :one
SELECT * FROM access_links WHERE hash = $1;

-- name: DeleteLink :execrows
DELETE FROM access_links WHERE hash = $1;

-- name: DeleteLinksOf :exec
DELETE FROM access_links WHERE user_id = sqlc.arg(user_id) AND purpose = sqlc.arg(purpose);

-- name: DeleteLinksFor :exec
DELETE FROM access_links WHERE purpose = $1;

-- name: DeleteAllLinksOf :exec
DELETE FROM access_links WHERE user_id = $1;

-- name: TakeAttempts :one
INSERT INTO access_attempts (subject, failures, last_at, blocked_until) VALUES ($1, 0, 0, 0)
ON CONFLICT (subject) DO UPDATE SET subject = excluded.subject
RETURNING *;

-- name: PutAttempts :exec
INSERT INTO access_attempts (subject, failures, last_at, blocked_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, blocked_until = excluded.blocked_until;

-- name: DeleteAttempts :exec
DELETE FROM access_attempts WHERE subject = $1;

-- name: PutDevice :exec
INSERT INTO access_devices (hash, id, user_id, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (hash) DO UPDATE SET seen_at = excluded.seen_at;

-- name: GetDevice :one
SELECT * FROM access_devices WHERE hash = $1;

-- name: DeleteDevicesOf :exec
DELETE FROM access_devices WHERE user_id = $1;

-- name: SweepSessions :exec
DELETE FROM access_sessions WHERE expires_at < sqlc.arg(now) OR seen_at < sqlc.arg(idle_since);

-- name: SweepLinks :exec
DELETE FROM access_links WHERE expires_at < $1;

-- name: SweepTokens :exec
DELETE FROM access_tokens WHERE expires_at > 0 AND expires_at < $1;

-- name: SweepAttempts :exec
DELETE FROM access_attempts WHERE last_at < $1;

-- name: SweepDevices :exec
DELETE FROM access_devices WHERE seen_at < $1;
