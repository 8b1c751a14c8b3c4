-- name: PutBatch :exec
INSERT INTO alert_batches (id, received_at, count, data) VALUES ($1, $2, $3, $4);

-- name: WaitingBatches :many
SELECT * FROM alert_batches WHERE processed_at = 0 ORDER BY id LIMIT sqlc.arg(most);

-- name: CountWaiting :one
SELECT CAST(COUNT(*) AS BIGINT) AS batches, CAST(COALESCE(SUM(count), 0) AS BIGINT) AS events FROM alert_batches WHERE processed_at = 0;

-- name: BatchDone :execrows
UPDATE alert_batches SET processed_at = sqlc.arg(at) WHERE id = sqlc.arg(id) AND processed_at = 0;

-- name: TakeBatch :execrows
INSERT INTO alert_batches (id, received_at, processed_at, count, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING;

-- name: IsTaken :one
SELECT CAST(COUNT(*) AS BIGINT) FROM alert_batches WHERE id = $1 AND processed_at > 0;

-- name: GetBatch :one
SELECT * FROM alert_batches WHERE id = $1;

-- name: BatchesBefore :many
SELECT * FROM alert_batches WHERE id < sqlc.arg(before) ORDER BY id DESC LIMIT sqlc.arg(most);

-- name: OldBatches :many
SELECT id FROM alert_batches WHERE received_at < sqlc.arg(before) AND processed_at > 0 ORDER BY received_at LIMIT sqlc.arg(most);

-- name: DropBatch :exec
DELETE FROM alert_batches WHERE id = $1;

-- name: PutAlert :exec
INSERT INTO alert_alerts (id, fingerprint, occurrence, integration, state, severity, title, body, service, team, labels, annotations, link, runbook,
    fired_at, fired_source, fired_arrived, ended_source, ended_arrived, last_at, until_at, acknowledged_at, acknowledged_by, resolved_at, reason,
    count, content, suppressed, first_event, last_event)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30);

-- name: SeeAlert :exec
UPDATE alert_alerts SET last_at = $2, until_at = $3, count = $4, last_event = $5, fired_source = $6, fired_arrived = $7 WHERE id = $1;

-- name: ChangeAlert :exec
UPDATE alert_alerts SET state = $2, last_at = $3, until_at = $4, count = $5, suppressed = $6, fired_at = $7, fired_source = $8, fired_arrived = $9,
    ended_source = $10, ended_arrived = $11, resolved_at = $12, reason = $13, acknowledged_at = $14, acknowledged_by = $15 WHERE id = $1;

-- name: RetellAlert :exec
UPDATE alert_alerts SET severity = $2, title = $3, body = $4, labels = $5, annotations = $6, link = $7, runbook = $8, content = $9, last_event = $10 WHERE id = $1;

-- name: GetAlert :one
SELECT * FROM alert_alerts WHERE id = $1;

-- name: OccurrencesOf :many
SELECT * FROM alert_alerts WHERE fingerprint = sqlc.arg(fingerprint) ORDER BY occurrence DESC LIMIT sqlc.arg(most);

-- name: LastOccurrence :one
SELECT id, occurrence, integration, state, severity, service, team, title, content, labels, count, fired_source, fired_arrived, ended_source, ended_arrived, last_at
FROM alert_alerts WHERE fingerprint = $1 ORDER BY occurrence DESC LIMIT 1;

-- name: OpenAlerts :many
SELECT id, fingerprint, occurrence, integration, state, severity, service, team, title, content, labels, count, suppressed,
    fired_source, fired_arrived, last_at, until_at, acknowledged_at, acknowledged_by
FROM alert_alerts WHERE state <> 'resolved' ORDER BY id;

-- name: CountStates :many
SELECT state, severity, CAST(COUNT(*) AS BIGINT) AS alerts FROM alert_alerts WHERE state <> 'resolved' GROUP BY state, severity;

-- name: OldAlerts :many
SELECT id FROM alert_alerts WHERE state = 'resolved' AND resolved_at < sqlc.arg(before) ORDER BY resolved_at LIMIT sqlc.arg(most);

-- name: DropAlert :exec
DELETE FROM alert_alerts WHERE id = $1;

-- name: DropMembersOfAlert :exec
DELETE FROM alert_members WHERE alert_id = $1;

-- name: OldGroups :many
SELECT id FROM alert_groups WHERE state = 'resolved' AND opened_at < sqlc.arg(before) AND resolved_at < sqlc.arg(before) ORDER BY opened_at LIMIT sqlc.arg(most);

-- name: DropGroup :exec
DELETE FROM alert_groups WHERE id = $1;

-- name: DropMembersOfGroup :exec
DELETE FROM alert_members WHERE group_id = $1;

-- name: Judge :execrows
UPDATE alert_alerts SET usefulness = sqlc.arg(usefulness), judged_by = sqlc.arg(judged_by) WHERE id = sqlc.arg(id);

-- name: PutGroup :exec
INSERT INTO alert_groups (id, key, state, receiver, route, trace, severity, title, body, service, team, labels, link, runbook, repeat_every, opened_at, told_at,
    acknowledged_at, acknowledged_by, resolved_at, count, total, cause)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23);

-- name: ChangeGroup :exec
UPDATE alert_groups SET state = $2, severity = $3, labels = $4, told_at = $5, acknowledged_at = $6, acknowledged_by = $7, resolved_at = $8, count = $9, total = $10, cause = $11
WHERE id = $1;

-- name: GetGroup :one
SELECT * FROM alert_groups WHERE id = $1;

-- name: GroupText :one
SELECT body, link, runbook, route, trace FROM alert_groups WHERE id = $1;

-- name: OpenGroups :many
SELECT * FROM alert_groups WHERE state <> 'resolved' ORDER BY id;

-- name: OpenMembers :many
SELECT m.group_id, m.alert_id FROM alert_members m
JOIN alert_groups g ON g.id = m.group_id JOIN alert_alerts a ON a.id = m.alert_id
WHERE g.state <> 'resolved' AND a.state <> 'resolved' ORDER BY m.joined_at, m.alert_id;

-- name: PutMember :exec
INSERT INTO alert_members (group_id, alert_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: GroupsOf :many
SELECT g.* FROM alert_members m JOIN alert_groups g ON g.id = m.group_id WHERE m.alert_id = $1 ORDER BY m.joined_at, g.id;

-- name: MembersOf :many
SELECT a.* FROM alert_members m JOIN alert_alerts a ON a.id = m.alert_id WHERE m.group_id = sqlc.arg(group_id) ORDER BY m.joined_at, a.id LIMIT sqlc.arg(most);

-- name: PutIntegration :exec
INSERT INTO alert_integrations (name, spec, owner, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, owner = excluded.owner, updated_at = excluded.updated_at;

-- name: DropIntegration :exec
DELETE FROM alert_integrations WHERE name = $1;

-- name: GetIntegration :one
SELECT * FROM alert_integrations WHERE name = $1;

-- name: ListIntegrations :many
SELECT * FROM alert_integrations ORDER BY name;

-- name: SeeIntegration :exec
UPDATE alert_integrations SET seen_at = sqlc.arg(at), received = received + sqlc.arg(events), unread = unread + sqlc.arg(unread) WHERE name = sqlc.arg(name);

-- name: PutKey :exec
INSERT INTO alert_keys (id, integration, hash, hint, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: KeyByHash :one
SELECT * FROM alert_keys WHERE hash = $1;

-- name: KeysOf :many
SELECT * FROM alert_keys WHERE integration = $1 ORDER BY id;

-- name: AllKeys :many
SELECT * FROM alert_keys ORDER BY id;

-- name: DropKey :execrows
DELETE FROM alert_keys WHERE id = sqlc.arg(id) AND integration = sqlc.arg(integration);

-- name: DropKeysOf :exec
DELETE FROM alert_keys WHERE integration = $1;
