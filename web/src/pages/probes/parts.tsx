import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX, IconPlugX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Probe, ProbeResult } from "../../api/types";
import { useFormat } from "../../format";

const looks = {
  up: { tone: "ok", Icon: IconCircleCheck },
  degraded: { tone: "warn", Icon: IconAlertTriangle },
  down: { tone: "bad", Icon: IconCircleX },
  silent: { tone: "warn", Icon: IconPlugX },
  unknown: { tone: "none", Icon: IconCircleDashed },
} as const;

export const probeStates = ["down", "degraded", "silent", "unknown", "up"] as const;

/** The state of a probe or of one of its locations, by shape and word. */
export function ProbeState({ state }: { state: Probe["state"] }) {
  const { t } = useTranslation();
  const { tone, Icon } = looks[state] ?? looks.unknown;
  return (
    <span className="status" data-tone={tone}>
      <Icon size={16} stroke={1.9} aria-hidden />
      {t(`probeState.${state}`)}
    </span>
  );
}

export const probeTone = (state: Probe["state"]) => looks[state]?.tone ?? "none";

const outcomes = { success: "up", failure: "down", unknown: "unknown" } as const;

/** How one check or step went. */
export function Outcome({ outcome }: { outcome: ProbeResult["outcome"] }) {
  const { t } = useTranslation();
  const { tone, Icon } = looks[outcomes[outcome]];
  return (
    <span className="status" data-tone={tone}>
      <Icon size={16} aria-hidden />
      <span className="visually-hidden">{t(`probeOutcome.${outcome}`)}</span>
    </span>
  );
}

/** The share of good checks of the last day. */
export function Day({ day }: { day: Probe["day"] }) {
  const { t } = useTranslation();
  const f = useFormat();
  if (day.total === 0) return <span className="dim">–</span>;
  return (
    <>
      {f.percent(day.good / day.total, 2)}
      <div className="sub">{t("probe.ofChecks", { good: f.number(day.good), total: f.number(day.total) })}</div>
    </>
  );
}
