-- name: PutPolicy :exec
INSERT INTO slo_policies (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data;

-- name: GetPolicy :one
SELECT data FROM slo_policies WHERE name = $1;

-- name: DeletePolicy :exec
DELETE FROM slo_policies WHERE name = $1;

-- name: ListPolicies :many
SELECT * FROM slo_policies ORDER BY name;

-- name: PutState :execrows
INSERT INTO slo_policy_states (slo, policy, state, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (slo) DO UPDATE SET policy = excluded.policy, state = excluded.state, since = excluded.since
WHERE slo_policy_states.state = sqlc.arg(was);

-- name: DropState :exec
DELETE FROM slo_policy_states WHERE slo = $1;
