-- name: SaveEntity :exec
INSERT INTO catalog_entities (ref, kind, namespace, name, short, title, description, owner, system, domain, type, lifecycle, tier, email, tags, links, annotations, search, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT (ref) DO UPDATE SET name = excluded.name, title = excluded.title, description = excluded.description,
    owner = excluded.owner, system = excluded.system, domain = excluded.domain, type = excluded.type,
    lifecycle = excluded.lifecycle, tier = excluded.tier, email = excluded.email, tags = excluded.tags,
    links = excluded.links, annotations = excluded.annotations, search = excluded.search, updated_at = excluded.updated_at;

-- name: DeleteEntity :execrows
DELETE FROM catalog_entities WHERE ref = $1;

-- name: GetEntity :one
SELECT * FROM catalog_entities WHERE ref = $1;

-- name: GetService :one
SELECT * FROM catalog_entities WHERE short = $1 AND kind IN ('component', 'service') ORDER BY kind LIMIT 1;

-- name: SaveRelation :exec
INSERT INTO catalog_relations (source, type, target, origin) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: DeleteRelations :exec
DELETE FROM catalog_relations WHERE origin = $1;

-- name: RelationsFrom :many
SELECT DISTINCT source, type, target FROM catalog_relations WHERE source = $1 ORDER BY type, target;

-- name: RelationsTo :many
SELECT DISTINCT source, type, target FROM catalog_relations WHERE target = $1 ORDER BY type, source;

-- name: RelationsOfType :many
SELECT DISTINCT source, target FROM catalog_relations WHERE type = $1 ORDER BY source, target;

-- name: CountServicesByOwner :many
SELECT owner, COUNT(*) AS services FROM catalog_entities e
WHERE e.kind = 'component' OR (e.kind = 'service' AND NOT EXISTS (SELECT 1 FROM catalog_entities c WHERE c.kind = 'component' AND c.short = e.short))
GROUP BY owner;

-- name: ListMembers :many
SELECT DISTINCT target, source FROM catalog_relations WHERE type = 'memberOf' ORDER BY target, source;
