-- name: AddExclusion :exec
INSERT INTO slo_exclusions (id, document, covers, shape, starts_at, ends_at, reason, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: AddExclusionCover :exec
INSERT INTO slo_exclusion_covers (kind, name, exclusion) VALUES ($1, $2, $3);

-- name: GetExclusion :one
SELECT * FROM slo_exclusions WHERE id = $1;

-- name: ExclusionsInForce :many
SELECT * FROM slo_exclusions WHERE taken_back_at = 0 ORDER BY id;

-- name: ExclusionsKnownAt :many
SELECT * FROM slo_exclusions WHERE created_at <= $1 AND (taken_back_at = 0 OR taken_back_at > $1) ORDER BY id;

-- name: ExclusionsOfDocument :many
SELECT * FROM slo_exclusions WHERE document = $1 AND taken_back_at = 0 ORDER BY id;

-- name: TakeBackExclusion :execrows
UPDATE slo_exclusions SET taken_back_at = $2, taken_back_by = $3, taken_back_why = $4 WHERE id = $1 AND taken_back_at = 0;

-- name: EndExclusion :exec
UPDATE slo_exclusions SET ends_at = $2 WHERE id = $1;

-- name: PutWindow :exec
INSERT INTO slo_parts (kind, name, data, refs) VALUES ('MaintenanceWindow', $1, $2, ' ')
ON CONFLICT (kind, name) DO UPDATE SET data = excluded.data;

-- name: HasWindow :one
SELECT COUNT(*) FROM slo_parts WHERE kind = 'MaintenanceWindow' AND name = $1;

-- name: DeleteWindow :exec
DELETE FROM slo_parts WHERE kind = 'MaintenanceWindow' AND name = $1;
