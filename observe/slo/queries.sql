-- name: PutPart :exec
INSERT INTO slo_parts (kind, name, data, refs) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, name) DO UPDATE SET data = excluded.data, refs = excluded.refs;

-- name: DeletePart :exec
DELETE FROM slo_parts WHERE kind = $1 AND name = $2;

-- name: GetPart :one
SELECT data FROM slo_parts WHERE kind = $1 AND name = $2;

-- name: PartsThatReferTo :many
SELECT kind, name, data FROM slo_parts WHERE refs LIKE $1 ORDER BY kind, name;

-- name: PutDefinition :exec
INSERT INTO slo_definitions (name, revision, counted, data, managed_by, slot, document) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, counted = excluded.counted,
    data = excluded.data, managed_by = excluded.managed_by, slot = excluded.slot;

-- name: NextSlot :one
UPDATE slo_generation SET slots = slots + 1 WHERE id = 1 RETURNING slots;

-- name: DefinitionsOf :many
SELECT name FROM slo_definitions WHERE document = $1 ORDER BY name;

-- name: DeleteDefinition :exec
DELETE FROM slo_definitions WHERE name = $1;

-- name: GetDefinition :one
SELECT * FROM slo_definitions WHERE name = $1;

-- name: Defined :many
SELECT sqlc.embed(d), sqlc.embed(s) FROM slo_definitions d JOIN slo_status s ON s.name = d.name ORDER BY d.name;

-- name: LockGeneration :execrows
UPDATE slo_generation SET n = n WHERE id = 1 AND n = $1;

-- name: PutMinute :exec
INSERT INTO slo_minutes (shard, minute, data) VALUES ($1, $2, $3)
ON CONFLICT (shard, minute) DO UPDATE SET data = excluded.data;

-- name: DropMinutes :exec
DELETE FROM slo_minutes WHERE shard = $1 AND minute < $2;

-- name: CutMinutes :exec
DELETE FROM slo_minutes WHERE shard = $1 AND minute >= $2;

-- name: PutShard :exec
INSERT INTO slo_shards (shard, minute, version, state) VALUES ($1, $2, $3, $4)
ON CONFLICT (shard) DO UPDATE SET minute = excluded.minute, version = excluded.version, state = excluded.state;

-- name: Shards :many
SELECT shard, version FROM slo_shards ORDER BY shard;

-- name: GetShard :one
SELECT * FROM slo_shards WHERE shard = $1;

-- name: Generation :one
SELECT n FROM slo_generation WHERE id = 1;

-- name: NextGeneration :exec
UPDATE slo_generation SET n = n + 1 WHERE id = 1;

-- name: DescribeStatus :exec
INSERT INTO slo_status (name, title, service, owner, tier, system, objective, period) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (name) DO UPDATE SET title = excluded.title, service = excluded.service, owner = excluded.owner,
    tier = excluded.tier, system = excluded.system, objective = excluded.objective, period = excluded.period;

-- name: DescribeService :exec
UPDATE slo_status SET owner = $2, tier = $3, system = $4 WHERE service = $1;

-- name: DeleteStatus :exec
DELETE FROM slo_status WHERE name = $1;

-- name: GetStatus :one
SELECT * FROM slo_status WHERE name = $1;

-- name: AddHour :execrows
INSERT INTO slo_ledger (slo, hour, data, written_at) VALUES ($1, $2, $3, $4) ON CONFLICT (slo, hour) DO NOTHING;

-- name: GetHour :one
SELECT data, written_at FROM slo_ledger WHERE slo = $1 AND hour = $2;

-- name: ReplaceHour :exec
UPDATE slo_ledger SET data = $3, written_at = $4 WHERE slo = $1 AND hour = $2;

-- name: KeepRevision :exec
INSERT INTO slo_revisions (slo, hour, superseded_at, written_at, data) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (slo, hour, superseded_at) DO NOTHING;

-- name: KeepAllAsRevisions :exec
INSERT INTO slo_revisions (slo, hour, superseded_at, written_at, data)
SELECT l.slo, l.hour, CAST(@superseded_at AS BIGINT), l.written_at, l.data FROM slo_ledger l WHERE l.slo = @slo
ON CONFLICT (slo, hour, superseded_at) DO NOTHING;

-- name: Hours :many
SELECT hour, data, written_at FROM slo_ledger WHERE slo = $1 AND hour >= $2 AND hour <= $3 ORDER BY hour;

-- name: FirstHour :one
SELECT hour FROM slo_ledger WHERE slo = $1 AND hour >= $2 ORDER BY hour LIMIT 1;

-- name: Revisions :many
SELECT hour, superseded_at, written_at, data FROM slo_revisions
WHERE slo = $1 AND hour >= $2 AND hour <= $3 ORDER BY hour, superseded_at;

-- name: MinuteLog :many
SELECT minute, data FROM slo_minutes WHERE shard = $1 AND minute >= $2 AND minute < $3 ORDER BY minute;

-- name: SlotOf :one
SELECT slot FROM slo_definitions WHERE name = $1;

-- name: DeleteLedger :exec
DELETE FROM slo_ledger WHERE slo = $1;

-- name: DeleteRevisions :exec
DELETE FROM slo_revisions WHERE slo = $1;

-- name: DeleteDays :exec
DELETE FROM slo_days WHERE slo = $1;

-- name: KeepDefinition :exec
INSERT INTO slo_former_definitions (slo, superseded_at, data) VALUES ($1, $2, $3)
ON CONFLICT (slo, superseded_at) DO NOTHING;

-- name: DefinitionAsOf :one
SELECT data FROM slo_former_definitions WHERE slo = $1 AND superseded_at > $2 ORDER BY superseded_at LIMIT 1;

-- name: DeleteFormerDefinitions :exec
DELETE FROM slo_former_definitions WHERE slo = $1;

-- name: AddAlert :exec
INSERT INTO slo_alerts (id, slo, service, owner, severity, state, since, data) VALUES ($1, $2, $3, $4, $5, 'firing', $6, $7);

-- name: AlertsSince :many
SELECT * FROM slo_alerts WHERE since >= $1 ORDER BY since, id;

-- name: UpdateAlert :exec
UPDATE slo_alerts SET data = $2 WHERE id = $1;

-- name: ResolveAlert :exec
UPDATE slo_alerts SET state = 'resolved', resolved_at = $2, data = $3 WHERE id = $1 AND state = 'firing';

-- name: OpenAlerts :many
SELECT * FROM slo_alerts WHERE slo = $1 AND state = 'firing' ORDER BY severity;

-- name: GetAlert :one
SELECT * FROM slo_alerts WHERE id = $1;

-- name: AllOpenAlerts :many
SELECT * FROM slo_alerts WHERE state = 'firing' ORDER BY slo, severity;

-- name: GoneSources :many
SELECT * FROM slo_sources ORDER BY name;

-- name: SourceGone :execrows
INSERT INTO slo_sources (name, since, error) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING;

-- name: SourceBack :execrows
DELETE FROM slo_sources WHERE name = $1;

-- name: AskRebuild :exec
INSERT INTO slo_rebuild (slo, since, asked) VALUES ($1, $2, $3)
ON CONFLICT (slo) DO UPDATE SET asked = excluded.asked,
    since = CASE WHEN excluded.since < slo_rebuild.since THEN excluded.since ELSE slo_rebuild.since END;

-- name: Rebuilds :many
SELECT * FROM slo_rebuild ORDER BY slo;

-- name: RebuildDone :exec
DELETE FROM slo_rebuild WHERE slo = $1 AND asked = $2;

-- name: DropRebuild :exec
DELETE FROM slo_rebuild WHERE slo = $1;

-- name: KeepMembership :many
INSERT INTO slo_former_memberships (slo, superseded_at, service, owner, tier, system)
SELECT s.name, CAST(@superseded_at AS BIGINT), s.service, s.owner, s.tier, s.system FROM slo_status s
WHERE s.name = @name AND (s.service <> @service OR s.owner <> @owner OR s.tier <> @tier OR s.system <> @system)
ON CONFLICT (slo, superseded_at) DO UPDATE SET slo = excluded.slo RETURNING slo;

-- name: KeepMemberships :many
INSERT INTO slo_former_memberships (slo, superseded_at, service, owner, tier, system)
SELECT s.name, CAST(@superseded_at AS BIGINT), s.service, s.owner, s.tier, s.system FROM slo_status s
WHERE s.service = @service AND (s.owner <> @owner OR s.tier <> @tier OR s.system <> @system)
ON CONFLICT (slo, superseded_at) DO UPDATE SET slo = excluded.slo RETURNING slo;

-- name: MembershipAsOf :one
SELECT service, owner, tier, system FROM slo_former_memberships WHERE slo = $1 AND superseded_at > $2 ORDER BY superseded_at LIMIT 1;

-- name: DeleteFormerMemberships :exec
DELETE FROM slo_former_memberships WHERE slo = $1;

-- name: Coverages :many
SELECT name, service, system, owner FROM slo_status ORDER BY name;

-- name: NamesOfService :many
SELECT name FROM slo_status WHERE service = $1 ORDER BY name;

-- name: PutTier :exec
INSERT INTO slo_tiers (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data;

-- name: DeleteTier :exec
DELETE FROM slo_tiers WHERE name = $1;

-- name: GetTier :one
SELECT data FROM slo_tiers WHERE name = $1;

-- name: ListTiers :many
SELECT name, data FROM slo_tiers ORDER BY name;

-- name: NamesOfTier :many
SELECT name FROM slo_status WHERE tier = $1 ORDER BY name;

-- name: PartsOfKind :many
SELECT name, data FROM slo_parts WHERE kind = $1 ORDER BY name;

-- name: NamesOutsideTier :many
SELECT name FROM slo_status WHERE service = $1 AND tier <> $2 ORDER BY name;

-- name: OldestHour :one
SELECT CAST(COALESCE(MIN(hour), -1) AS BIGINT) AS hour FROM slo_ledger WHERE slo = $1;

-- name: DeleteHoursBefore :exec
DELETE FROM slo_ledger WHERE slo = $1 AND hour < $2;

-- name: DeleteRevisionsBefore :exec
DELETE FROM slo_revisions WHERE slo = $1 AND hour < $2;

-- name: PutDay :exec
INSERT INTO slo_days (slo, day, data, parts) VALUES ($1, $2, $3, $4)
ON CONFLICT (slo, day) DO UPDATE SET data = excluded.data, parts = excluded.parts;

-- name: Days :many
SELECT day, data FROM slo_days WHERE slo = $1 AND day >= $2 AND day <= $3 ORDER BY day;

-- name: DaysInParts :many
SELECT day, data FROM slo_days WHERE slo = $1 AND day < $2 AND parts > 1 ORDER BY day LIMIT 100;

-- name: PutLate :exec
INSERT INTO slo_late (id, slo, from_minute, to_minute) VALUES ($1, $2, $3, $4);

-- name: ListLate :many
SELECT * FROM slo_late ORDER BY id;

-- name: LateDone :exec
DELETE FROM slo_late WHERE id = $1;

-- name: DropLate :exec
DELETE FROM slo_late WHERE slo = $1;

-- name: PutInstance :exec
INSERT INTO slo_instances (name, whole, labels, matched, counted, found_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO UPDATE SET counted = excluded.counted, absent = 0, retired_at = 0;

-- name: GetInstance :one
SELECT * FROM slo_instances WHERE name = $1;

-- name: InstancesOf :many
SELECT * FROM slo_instances WHERE whole = $1 ORDER BY name;

-- name: RetiredOf :many
SELECT * FROM slo_instances WHERE whole = $1 AND retired_at > 0 AND name > $2 ORDER BY name LIMIT $3;

-- name: RetiredCounts :many
SELECT whole, COUNT(*) AS n FROM slo_instances WHERE retired_at > 0 GROUP BY whole;

-- name: RecordedHours :one
SELECT CAST(COALESCE(MIN(hour), -1) AS BIGINT) AS first, CAST(COALESCE(MAX(hour), -1) AS BIGINT) AS last FROM slo_ledger WHERE slo = $1;

-- name: RecordedDays :one
SELECT CAST(COALESCE(MIN(day), -1) AS BIGINT) AS first, CAST(COALESCE(MAX(day), -1) AS BIGINT) AS last FROM slo_days WHERE slo = $1;

-- name: RetireInstance :exec
UPDATE slo_instances SET retired_at = $2 WHERE name = $1;

-- name: SetAbsent :exec
UPDATE slo_instances SET absent = $2 WHERE name = $1;

-- name: DropInstance :exec
DELETE FROM slo_instances WHERE name = $1;

-- name: ReserveSlots :one
UPDATE slo_generation SET slots = slots + CAST(@n AS BIGINT) WHERE id = 1 RETURNING slots;

-- name: PutRefusal :exec
INSERT INTO slo_refusals (slo, state, refused, examples, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (slo) DO UPDATE SET state = excluded.state, refused = excluded.refused, examples = excluded.examples;

-- name: DropRefusal :exec
DELETE FROM slo_refusals WHERE slo = $1;

-- name: Refusals :many
SELECT * FROM slo_refusals ORDER BY slo;
