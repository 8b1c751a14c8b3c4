import { IconAlertTriangle, IconBattery, IconCircleCheck, IconCircleDashed, IconFlame, IconHistory, IconBellRinging, IconTicket } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Status as SLOStatus } from "../api/types";
import { useFormat } from "../format";

export type Tone = "bad" | "warn" | "ok" | "none";

const looks = {
  burning: { tone: "bad", Icon: IconFlame },
  exhausted: { tone: "warn", Icon: IconBattery },
  attention: { tone: "warn", Icon: IconAlertTriangle },
  unknown: { tone: "none", Icon: IconCircleDashed },
  backfilling: { tone: "none", Icon: IconHistory },
  healthy: { tone: "ok", Icon: IconCircleCheck },
} as const;

export const toneOf = (status: string): Tone => looks[status as SLOStatus]?.tone ?? "none";

/** An SLO's state by shape and word; colour only repeats them. */
export function Status({ status }: { status: string }) {
  const { t } = useTranslation();
  const known: SLOStatus = status in looks ? (status as SLOStatus) : "unknown";
  const { tone, Icon } = looks[known];
  return (
    <span className="status" data-tone={tone}>
      <Icon size={16} stroke={1.9} aria-hidden />
      {t(`status.${known}`)}
    </span>
  );
}

/** How loud an alert is. */
export function Severity({ severity }: { severity: string }) {
  const { t } = useTranslation();
  const page = severity === "page";
  return (
    <span className="status" data-tone={page ? "bad" : "warn"}>
      {page ? <IconBellRinging size={16} aria-hidden /> : <IconTicket size={16} aria-hidden />}
      {page ? t("severity.page") : t("severity.ticket")}
    </span>
  );
}

export function budgetTone(left: number | undefined | null, status?: string): "bad" | "warn" | "over" | "ok" {
  if (left === undefined || left === null) return "ok";
  if (left <= 0) return "over";
  if (status === "burning") return "bad";
  return left < 0.25 ? "warn" : "ok";
}

/** What is left of an error budget, as a bar and a number; between low and high lies the truth, where not everything is known. */
export function Budget({ left, status, low, high }: { left: number | undefined | null; status?: string; low?: number; high?: number }) {
  const f = useFormat();
  const { t } = useTranslation();
  if (left === undefined || left === null) return <span className="dim">{t("unknown")}</span>;
  const apart = low !== undefined && high !== undefined && f.budget(low) !== f.budget(high);
  return (
    <span className="budget" data-tone={budgetTone(left, status)}>
      <span className="track" aria-hidden>
        {apart && <i className="maybe" style={{ left: percentOf(low), width: `calc(${percentOf(high)} - ${percentOf(low)})` }} />}
        <i style={{ width: percentOf(left) }} />
      </span>
      <span className="value">
        {f.budget(left)}
        {apart && <small>{t("budget.between", { low: f.budget(low), high: f.budget(high) })}</small>}
      </span>
    </span>
  );
}

const percentOf = (share: number) => `${Math.max(0, Math.min(1, share)) * 100}%`;
