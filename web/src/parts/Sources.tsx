import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconDatabaseOff, IconPlugX, IconSettingsExclamation } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { sources } from "../api/queries";
import type { Source } from "../api/types";
import { Ago } from "./Time";

const looks = {
  ok: { tone: "ok", Icon: IconCircleCheck },
  slow: { tone: "warn", Icon: IconAlertTriangle },
  gone: { tone: "bad", Icon: IconPlugX },
  misconfigured: { tone: "bad", Icon: IconSettingsExclamation },
  full: { tone: "bad", Icon: IconDatabaseOff },
  unknown: { tone: "none", Icon: IconCircleDashed },
} as const;

export function SourceState({ status }: { status: string }) {
  const { t } = useTranslation();
  const known = status in looks ? (status as keyof typeof looks) : "unknown";
  const { tone, Icon } = looks[known];
  return (
    <span className="status" data-tone={tone}>
      <Icon size={16} aria-hidden />
      {t(`source.${known}`)}
    </span>
  );
}

/** Data sources in trouble, the grave ones (what is shown of them is old) apart from those that are merely slow. */
export function SourceTroubles({ grave }: { grave: boolean }) {
  const { t } = useTranslation();
  const query = useQuery(sources());
  const troubled = (query.data?.items ?? []).filter((s: Source) => s.status !== "ok" && s.status !== "unknown" && (s.status !== "slow") === grave);
  if (troubled.length === 0) return null;
  return (
    <div className="banner" data-tone={grave ? "bad" : "warn"} role="status">
      <div className="title">{t("source.troubleTitle", { count: troubled.length })}</div>
      <div>{grave ? t("source.troubleWhat") : t("source.slowWhat")}</div>
      {troubled.map((s) => (
        <div key={s.name} className="row small">
          <SourceState status={s.status} />
          <Link to="/settings/$section" params={{ section: "sources" }}>
            {s.name}
          </Link>
          <span className="anywhere">{s.lastError}</span>
          {s.lastOkAt && (
            <span className="dim">
              {t("source.lastOK")} <Ago at={s.lastOkAt} />
            </span>
          )}
        </div>
      ))}
    </div>
  );
}
