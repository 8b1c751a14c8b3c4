-- name: PutPolicy :exec
INSERT INTO page_policies (name, team, policy, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET team = excluded.team, policy = excluded.policy, updated_at = excluded.updated_at;

-- name: DropPolicy :exec
DELETE FROM page_policies WHERE name = $1;

-- name: GetPolicy :one
SELECT * FROM page_policies WHERE name = $1;

-- name: PolicyOfTeam :one
SELECT * FROM page_policies WHERE team = $1 ORDER BY name LIMIT 1;

-- name: ListPolicies :many
SELECT * FROM page_policies ORDER BY name;

-- name: AddMethod :exec
INSERT INTO page_methods (id, person, title, spec, created_at, verified_at, disabled_at, code_hash, code_until, code_tries)
VALUES ($1, $2, $3, $4, $5, 0, 0, '', 0, 0);

-- name: PutMethod :exec
UPDATE page_methods SET title = $2, spec = $3, verified_at = $4, disabled_at = $5, code_hash = $6, code_until = $7, code_tries = $8
WHERE id = $1;

-- name: DropMethod :exec
DELETE FROM page_methods WHERE id = $1;

-- name: GetMethod :one
SELECT * FROM page_methods WHERE id = $1;

-- name: MethodsOf :many
SELECT * FROM page_methods WHERE person = $1 ORDER BY id;

-- name: GetPreferences :one
SELECT * FROM page_preferences WHERE person = $1;

-- name: PutPreferences :exec
INSERT INTO page_preferences (person, spec, updated_at) VALUES ($1, $2, $3)
ON CONFLICT (person) DO UPDATE SET spec = excluded.spec, updated_at = excluded.updated_at;

-- name: AddPage :exec
INSERT INTO page_pages (id, group_id, policy, team, severity, state, notice, began_at,
	taken, round, step, step_at, acknowledged_at, acknowledged_by, ended_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, 0, 0, 0, 0, '{}', $9);

-- name: PutPage :exec
UPDATE page_pages SET state = $2, notice = $3, taken = $4, round = $5, step = $6, step_at = $7,
	acknowledged_at = $8, acknowledged_by = $9, ended_at = $10, severity = $11
WHERE id = $1;

-- name: GetPage :one
SELECT * FROM page_pages WHERE id = $1;

-- name: PagesOfGroup :many
SELECT * FROM page_pages WHERE group_id = $1 AND state <> 'resolved' ORDER BY id;

-- name: AddStep :exec
INSERT INTO page_steps (id, page, round, step, state, due_at, set_at, done_at, trace) VALUES ($1, $2, $3, $4, 'due', $5, $6, 0, '[]');

-- name: DueSteps :many
SELECT * FROM page_steps WHERE state = 'due' AND due_at <= $1 ORDER BY due_at, id LIMIT $2;

-- name: TakeStep :execrows
UPDATE page_steps SET state = 'done', done_at = $2, trace = $3 WHERE id = $1 AND state = 'due';

-- name: StopSteps :exec
UPDATE page_steps SET state = 'stopped', done_at = $2 WHERE page = $1 AND state = 'due';

-- name: HurryStep :exec
UPDATE page_steps SET due_at = $2, set_at = $2 WHERE page = $1 AND state = 'due' AND due_at > $2;

-- name: StepsOfPage :many
SELECT * FROM page_steps WHERE page = $1 ORDER BY id;

-- name: MoveSteps :exec
UPDATE page_steps SET set_at = $1, due_at = $1 + (due_at - set_at) WHERE state = 'due' AND set_at > $2;

-- name: AddMessage :execrows
INSERT INTO page_messages (id, page, person, round, step, way, kind, state, due_at, set_at, handed_at, ended_at, delivery, late)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, 0, 0, '', FALSE)
ON CONFLICT (id) DO NOTHING;

-- name: DueMessages :many
SELECT * FROM page_messages WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT $2;

-- name: HandMessage :execrows
UPDATE page_messages SET state = 'handed', handed_at = $2, delivery = $3 WHERE id = $1 AND state = 'waiting';

-- name: StopMessages :exec
UPDATE page_messages SET state = 'stopped', ended_at = $2 WHERE page = $1 AND state = 'waiting';

-- name: EndMessage :exec
UPDATE page_messages SET state = $2, ended_at = $3 WHERE id = $1 AND state IN ('waiting', 'handed');

-- name: HurryMessages :execrows
UPDATE page_messages SET due_at = $3, set_at = $3 WHERE page = $1 AND person = $2 AND state = 'waiting' AND due_at > $3;

-- name: MoveMessages :exec
UPDATE page_messages SET set_at = $1, due_at = $1 + (due_at - set_at) WHERE state = 'waiting' AND set_at > $2;

-- name: MessageOfDelivery :one
SELECT * FROM page_messages WHERE delivery = $1;

-- name: MessagesOfPage :many
SELECT * FROM page_messages WHERE page = $1 ORDER BY due_at, id;

-- name: HandedOfPage :many
SELECT delivery FROM page_messages WHERE page = $1 AND state = 'handed' ORDER BY id;

-- name: CountMessages :one
SELECT count(*) FROM page_messages WHERE page = $1 AND person = $2;

-- name: CountReaching :one
SELECT count(*) FROM page_messages WHERE page = $1 AND state IN ('delivered', 'handed', 'waiting') AND late = FALSE;

-- name: LateMessages :many
SELECT * FROM page_messages WHERE state = 'handed' AND late = FALSE AND handed_at <= $1 AND handed_at > 0 ORDER BY id LIMIT $2;

-- name: MarkLate :execrows
UPDATE page_messages SET late = TRUE WHERE id = $1 AND late = FALSE AND state = 'handed';

-- name: GetKey :one
SELECT value FROM page_keys WHERE name = $1;

-- name: PutKey :exec
INSERT INTO page_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;

-- name: CountAhead :one
SELECT (SELECT count(*) FROM page_steps s WHERE s.state = 'due' AND s.set_at > $1)
	+ (SELECT count(*) FROM page_messages m WHERE m.state = 'waiting' AND m.set_at > $1) AS ahead;

-- name: TouchKey :exec
UPDATE page_keys SET value = value WHERE name = $1;

-- name: CountOverdue :one
SELECT count(*) FROM page_steps WHERE state = 'due' AND due_at < $1;
