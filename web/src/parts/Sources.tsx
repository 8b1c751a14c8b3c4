import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconPlugX, IconSettingsExclamation } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { sources } from "../api/queries";
import type { Source } from "../api/types";
import { useSay } from "../i18n";
import { isBoth } from "./entryData";
import { Ago } from "./Time";

const looks = {
  ok: { tone: "ok", Icon: IconCircleCheck },
  slow: { tone: "warn", Icon: IconAlertTriangle },
  gone: { tone: "bad", Icon: IconPlugX },
  misconfigured: { tone: "bad", Icon: IconSettingsExclamation },
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

/** An error that may come in both languages. */
export function useErrorText(): (e: unknown) => string {
  const say = useSay();
  return (e) => (isBoth(e) ? say(e) : typeof e === "string" ? e : "");
}

/** Data sources that do not answer well: while one is gone, what is shown is old. */
export function SourceTroubles() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const query = useQuery(sources());
  const troubled = (query.data?.items ?? []).filter((s: Source) => s.status !== "ok" && (s.status as string) !== "unknown");
  if (troubled.length === 0) return null;
  return (
    <div className="banner" data-tone={troubled.some((s) => s.status !== "slow") ? "bad" : "warn"} role="status">
      <div className="title">{t("source.troubleTitle", { count: troubled.length })}</div>
      <div>{t("source.troubleWhat")}</div>
      {troubled.map((s) => (
        <div key={s.name} className="row small">
          <SourceState status={s.status} />
          <Link to="/settings/$section" params={{ section: "sources" }}>
            {s.name}
          </Link>
          <span className="anywhere">{errorText(s.lastError)}</span>
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
