-- name: InsertEntry :exec
INSERT INTO journal_entries (id, at, actor_kind, actor_id, actor_name, kind, subject, also, data, cause)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: InsertRef :exec
INSERT INTO journal_refs (ref, at, entry) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: GetEntry :one
SELECT * FROM journal_entries WHERE id = $1;

-- name: EntriesSince :many
SELECT * FROM journal_entries WHERE at >= sqlc.arg(since) ORDER BY at, id LIMIT sqlc.arg(most);

-- name: UnsealedBefore :many
SELECT * FROM journal_entries WHERE seal = 0 AND at < sqlc.arg(before) ORDER BY at, id LIMIT sqlc.arg(most);

-- name: MarkSealed :exec
UPDATE journal_entries SET seal = sqlc.arg(number) WHERE id = sqlc.arg(id);

-- name: LastSeal :one
SELECT * FROM journal_seals ORDER BY number DESC LIMIT 1;

-- name: InsertSeal :exec
INSERT INTO journal_seals (number, sealed_at, upto, entries, hash, previous) VALUES ($1, $2, $3, $4, $5, $6);

-- name: SealsFrom :many
SELECT * FROM journal_seals WHERE number >= sqlc.arg(first) ORDER BY number LIMIT sqlc.arg(most);

-- name: SealsBefore :many
SELECT * FROM journal_seals WHERE number < sqlc.arg(before) ORDER BY number DESC LIMIT sqlc.arg(most);

-- name: EntriesOfSeal :many
SELECT * FROM journal_entries WHERE seal = $1 ORDER BY at, id;

-- name: CountUnsealed :one
SELECT count(*) FROM journal_entries WHERE seal = 0;
