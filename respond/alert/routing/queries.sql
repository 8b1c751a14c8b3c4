-- name: PutDocument :exec
INSERT INTO routing_documents (name, team, spec, file, places, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO UPDATE SET team = excluded.team, spec = excluded.spec, file = excluded.file, places = excluded.places, updated_at = excluded.updated_at;

-- name: DropDocument :exec
DELETE FROM routing_documents WHERE name = $1;

-- name: ListDocuments :many
SELECT * FROM routing_documents ORDER BY team, name;

-- name: PutSilence :exec
INSERT INTO routing_silences (id, matchers, author, reason, starts_at, ends_at, created_at, created_by, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7);

-- name: ChangeSilence :exec
UPDATE routing_silences SET author = $2, reason = $3, starts_at = $4, ends_at = $5, changed_at = $6, told = '' WHERE id = $1;

-- name: TellSilence :exec
UPDATE routing_silences SET told = sqlc.arg(told) WHERE id = sqlc.arg(id);

-- name: GetSilence :one
SELECT * FROM routing_silences WHERE id = $1;

-- name: SilencesInForce :many
SELECT * FROM routing_silences WHERE ends_at > sqlc.arg(now) ORDER BY ends_at, id;

-- name: SilencesUntold :many
SELECT * FROM routing_silences WHERE told <> 'expired' AND starts_at <= sqlc.arg(now) AND ends_at <= sqlc.arg(soon) ORDER BY ends_at, id;

-- name: NextVersion :exec
UPDATE routing_version SET version = version + 1 WHERE id = 1;

-- name: Version :one
SELECT version FROM routing_version WHERE id = 1;
