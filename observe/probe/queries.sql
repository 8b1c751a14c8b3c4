-- name: PutProbe :exec
INSERT INTO probe_probes (name, title, description, service, owner, tier, system, type, target, spec, revision, slo, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, description = excluded.description, service = excluded.service,
    owner = excluded.owner, tier = excluded.tier, system = excluded.system, type = excluded.type, target = excluded.target,
    spec = excluded.spec, revision = excluded.revision, slo = excluded.slo, updated_at = excluded.updated_at;

-- name: GetProbe :one
SELECT * FROM probe_probes WHERE name = $1;

-- name: ListProbes :many
SELECT * FROM probe_probes ORDER BY name;

-- name: DropProbe :exec
DELETE FROM probe_probes WHERE name = $1;

-- name: DropStates :exec
DELETE FROM probe_states WHERE probe = $1;

-- name: DropResults :exec
DELETE FROM probe_results WHERE probe = $1;

-- name: DescribeService :exec
UPDATE probe_probes SET owner = $2, tier = $3, system = $4 WHERE service = $1;

-- name: ListStates :many
SELECT * FROM probe_states ORDER BY probe, location;

-- name: StatesOf :many
SELECT * FROM probe_states WHERE probe = $1 ORDER BY location;

-- name: GetState :one
SELECT * FROM probe_states WHERE probe = $1 AND location = $2;

-- name: PutState :exec
INSERT INTO probe_states (probe, location, state, reason, since, last_at, last_ms, good, bad)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (probe, location) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since,
    last_at = excluded.last_at, last_ms = excluded.last_ms, good = excluded.good, bad = excluded.bad;

-- name: PutResult :execrows
INSERT INTO probe_results (probe, location, due, outcome, total_ms, data) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: LatestResult :one
SELECT * FROM probe_results WHERE probe = $1 AND location = $2 ORDER BY due DESC LIMIT 1;

-- name: GetResult :one
SELECT * FROM probe_results WHERE probe = $1 AND location = $2 AND due = $3;

-- name: ResultTimes :many
SELECT location, due, outcome, total_ms FROM probe_results
WHERE probe = $1 AND due >= sqlc.arg(from_due) AND due < sqlc.arg(to_due) ORDER BY location, due;

-- name: CountResults :many
SELECT probe, location, outcome, COUNT(*) AS n FROM probe_results WHERE due >= $1 GROUP BY probe, location, outcome;

-- name: PruneResults :exec
DELETE FROM probe_results WHERE due < $1;

-- name: SeeLocation :exec
INSERT INTO probe_locations (name, seen_at, version, silent) VALUES ($1, $2, $3, 0)
ON CONFLICT (name) DO UPDATE SET seen_at = CASE WHEN excluded.seen_at > probe_locations.seen_at THEN excluded.seen_at ELSE probe_locations.seen_at END,
    version = excluded.version, silent = 0;

-- name: GetLocation :one
SELECT * FROM probe_locations WHERE name = $1;

-- name: ListLocations :many
SELECT * FROM probe_locations ORDER BY name;

-- name: TellSilent :execrows
UPDATE probe_locations SET silent = 1 WHERE name = $1 AND silent = 0 AND seen_at < $2;

-- name: DropLocation :exec
DELETE FROM probe_locations WHERE name = $1;

-- name: LockProbe :execrows
UPDATE probe_probes SET updated_at = updated_at WHERE name = $1;

-- name: PruneSuccesses :exec
DELETE FROM probe_results WHERE due < $1 AND outcome = 'success';
