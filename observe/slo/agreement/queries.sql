-- name: LockAgreement :execrows
UPDATE slo_agreements SET terms = terms WHERE slo = $1 AND version = $2 AND in_force_at = 0 AND superseded_at = 0;

-- name: Agreements :many
SELECT * FROM slo_agreements WHERE slo = $1 ORDER BY version DESC;

-- name: AddAgreement :exec
INSERT INTO slo_agreements (slo, version, terms, stakeholders, proposed_at, proposed_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: EnforceAgreement :exec
UPDATE slo_agreements SET agreed_at = $3, in_force_at = $3 WHERE slo = $1 AND version = $2 AND in_force_at = 0;

-- name: SupersedeAgreement :exec
UPDATE slo_agreements SET superseded_at = $3 WHERE slo = $1 AND version = $2 AND superseded_at = 0;

-- name: AddWord :exec
INSERT INTO slo_agreement_words (id, slo, version, stakeholder, word, comment, at, by_actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: WordsOf :many
SELECT * FROM slo_agreement_words WHERE slo = $1 ORDER BY id;
