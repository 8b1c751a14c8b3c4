-- name: PutChannel :exec
INSERT INTO notify_channels (name, title, description, spec, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, description = excluded.description,
	spec = excluded.spec, updated_at = excluded.updated_at;

-- name: DropChannel :exec
DELETE FROM notify_channels WHERE name = $1;

-- name: DropHealth :exec
DELETE FROM notify_health WHERE channel = $1;

-- name: GetChannel :one
SELECT * FROM notify_channels WHERE name = $1;

-- name: ListChannels :many
SELECT * FROM notify_channels ORDER BY name;

-- name: ListHealth :many
SELECT * FROM notify_health ORDER BY channel;

-- name: LockHealth :one
INSERT INTO notify_health (channel) VALUES ($1)
ON CONFLICT (channel) DO UPDATE SET channel = excluded.channel
RETURNING *;

-- name: PutHealth :exec
UPDATE notify_health SET last_attempt_at = $2, last_delivered_at = $3, failing_since = $4, failures = $5, away = $6, last_error = $7,
	paced_from = $8, paced = $9
WHERE channel = $1;

-- name: AddDelivery :execrows
INSERT INTO notify_deliveries (id, entry_id, kind, subject, thread, channel, recipient, state, message,
	happened_at, created_at, next_at, claimed_until, give_up_at, ended_at, attempts, last_error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (entry_id, channel, recipient) DO NOTHING;

-- name: GetDelivery :one
SELECT * FROM notify_deliveries WHERE id = $1;

-- name: BeginAttempt :exec
UPDATE notify_deliveries SET claimed_until = $2, attempts = $3 WHERE id = $1;

-- name: EndDelivery :exec
UPDATE notify_deliveries SET state = $2, next_at = $3, claimed_until = $4, give_up_at = $5, ended_at = $6, last_error = $7
WHERE id = $1;

-- name: ThreadMessages :many
SELECT message FROM notify_deliveries WHERE thread = $1 AND channel = $2 AND kind = $3 AND state <> 'nobody';

-- name: CountInFlight :one
SELECT count(*) FROM notify_deliveries WHERE channel = $1 AND state = 'pending' AND claimed_until > $2;

-- An earlier message about the same subject goes first: always, when it is of
-- the same thread; else until it, or the one of its thread that it waits for,
-- was tried too often.

-- name: CountEarlier :one
SELECT count(*) FROM notify_deliveries e
WHERE e.channel = $1 AND e.recipient = $2 AND e.subject = $3 AND e.state = 'pending' AND e.id < $4
	AND (e.thread = $5 OR (e.attempts < $6 AND NOT EXISTS (
		SELECT 1 FROM notify_deliveries f
		WHERE f.channel = e.channel AND f.recipient = e.recipient AND f.subject = e.subject AND f.state = 'pending'
			AND f.thread = e.thread AND f.id < e.id AND f.attempts >= $6)));

-- name: DueOnChannel :many
SELECT d.id FROM notify_deliveries d
WHERE d.channel = $1 AND d.state = 'pending' AND d.carrier = '' AND d.next_at <= $2 AND d.claimed_until <= $2
	AND NOT EXISTS (
		SELECT 1 FROM notify_deliveries e
		WHERE e.channel = d.channel AND e.recipient = d.recipient AND e.subject = d.subject AND e.state = 'pending'
			AND e.id < d.id AND (e.thread = d.thread OR (e.attempts < $3 AND NOT EXISTS (
				SELECT 1 FROM notify_deliveries f
				WHERE f.channel = e.channel AND f.recipient = e.recipient AND f.subject = e.subject AND f.state = 'pending'
					AND f.thread = e.thread AND f.id < e.id AND f.attempts >= $3))))
ORDER BY d.id LIMIT $4;

-- name: ChannelsDue :many
SELECT DISTINCT channel FROM notify_deliveries
WHERE state = 'pending' AND carrier = '' AND next_at <= $1 AND claimed_until <= $1
ORDER BY channel;

-- name: Bundle :exec
UPDATE notify_deliveries SET message = $2 WHERE id = $1;

-- name: Carry :exec
UPDATE notify_deliveries SET carrier = $2 WHERE id = $1;

-- name: ListCarried :many
SELECT * FROM notify_deliveries WHERE carrier = $1 ORDER BY id;

-- name: ReleaseClaims :exec
UPDATE notify_deliveries SET claimed_until = 0 WHERE state = 'pending' AND claimed_until > 0 AND claimed_until < $1;

-- name: HurryChannel :exec
UPDATE notify_deliveries SET next_at = $2 WHERE channel = $1 AND state = 'pending' AND next_at > $2;

-- name: CountPending :many
SELECT channel, count(*) AS pending, CAST(min(happened_at) AS BIGINT) AS oldest FROM notify_deliveries
WHERE state = 'pending' GROUP BY channel ORDER BY channel;

-- name: CountStates :many
SELECT channel, state, count(*) AS deliveries FROM notify_deliveries
GROUP BY channel, state ORDER BY channel, state;

-- name: AddAttempt :exec
INSERT INTO notify_attempts (delivery_id, number, started_at, finished_at, outcome, code, answer, error)
VALUES ($1, $2, $3, 0, 'sending', 0, '', '{}');

-- name: EndAttempt :exec
UPDATE notify_attempts SET finished_at = $3, outcome = $4, code = $5, answer = $6, error = $7
WHERE delivery_id = $1 AND number = $2;

-- name: LoseAttempts :exec
UPDATE notify_attempts SET finished_at = $2, outcome = 'unknown' WHERE delivery_id = $1 AND outcome = 'sending';

-- name: ListAttempts :many
SELECT * FROM notify_attempts WHERE delivery_id = $1 ORDER BY number;

-- name: ListEnded :many
SELECT channel, state, happened_at, ended_at FROM notify_deliveries
WHERE channel = $1 AND state = $2 AND ended_at >= $3 AND ended_at < $4 AND kind <> 'notify.test'
ORDER BY ended_at;

-- name: ListEndedAll :many
SELECT channel, state, happened_at, ended_at FROM notify_deliveries
WHERE state = $1 AND ended_at >= $2 AND ended_at < $3 AND kind <> 'notify.test'
ORDER BY ended_at;

-- name: ListForgettable :many
SELECT d.id FROM notify_deliveries d
WHERE d.state <> 'pending' AND d.ended_at < $1
	AND NOT EXISTS (
		SELECT 1 FROM notify_deliveries e
		WHERE e.thread = d.thread AND e.channel = d.channel AND (e.state = 'pending' OR e.ended_at >= $1))
ORDER BY d.id LIMIT $2;

-- name: DropAttempts :exec
DELETE FROM notify_attempts WHERE delivery_id = $1;

-- name: DropDelivery :exec
DELETE FROM notify_deliveries WHERE id = $1;
