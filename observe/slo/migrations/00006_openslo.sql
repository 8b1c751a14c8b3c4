-- +goose Up

-- The SLO that an objective comes from. An SLO with several objectives has
-- several definitions; the first has its name.
ALTER TABLE slo_definitions ADD COLUMN document TEXT NOT NULL DEFAULT '';
UPDATE slo_definitions SET document = name;
CREATE INDEX slo_definitions_document ON slo_definitions (document);
