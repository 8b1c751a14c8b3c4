-- name: NextNumber :one
INSERT INTO incident_numbers (name, last) VALUES ('incident', 1)
ON CONFLICT (name) DO UPDATE SET last = incident_numbers.last + 1
RETURNING last;

-- name: AddIncident :exec
INSERT INTO incidents (number, version, state, severity, team, title, declared_at, ended_at, look_at, body)
VALUES ($1, 1, $2, $3, $4, $5, $6, 0, $7, $8);

-- name: TakeIncident :one
UPDATE incidents SET version = version + 1 WHERE number = $1 RETURNING version, body;

-- name: PutIncident :exec
UPDATE incidents SET state = $2, severity = $3, team = $4, title = $5, ended_at = $6, look_at = $7, body = $8 WHERE number = $1;

-- name: GetIncident :one
SELECT version, body FROM incidents WHERE number = $1;

-- name: OverdueIncidents :many
SELECT number FROM incidents WHERE look_at > 0 AND look_at <= $1 ORDER BY number;

-- name: DropServices :exec
DELETE FROM incident_services WHERE incident = $1;

-- name: AddService :exec
INSERT INTO incident_services (service, incident) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: DropGroups :exec
DELETE FROM incident_groups WHERE incident = $1;

-- name: AddGroup :exec
INSERT INTO incident_groups (alert_group, incident) VALUES ($1, $2);

-- name: IncidentOfGroup :one
SELECT incident FROM incident_groups WHERE alert_group = $1;

-- name: IncidentsBetween :many
SELECT version, body FROM incidents
WHERE declared_at >= sqlc.arg(since) AND declared_at < sqlc.arg(until)
ORDER BY number;

-- name: PutPolicy :exec
INSERT INTO incident_policies (name, owner, document) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, document = excluded.document;

-- name: DropPolicy :exec
DELETE FROM incident_policies WHERE name = $1;

-- name: PoliciesFor :many
SELECT name, owner, document FROM incident_policies WHERE owner = $1 OR owner = '' ORDER BY owner DESC, name;
