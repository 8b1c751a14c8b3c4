import { useTranslation } from "react-i18next";
import type { SLO } from "../../api/types";
import type { SLOFilter, SLOGroup } from "../../app/urlState";
import { useFormat } from "../../format";
import { useNow } from "../../parts/now";

/** The SLI, where anything was counted at all. */
export function sliOf(slo: Pick<SLO, "sli">): number | undefined {
  return slo.sli ?? undefined;
}

/** What is left of the budget, where anything was counted at all. */
export function budgetOf(slo: Pick<SLO, "budgetLeft">): number | undefined {
  return slo.budgetLeft ?? undefined;
}

/** Whether the budget will be gone before what spends it leaves the window. */
export function exhaustsWithin(slo: Pick<SLO, "exhaustsAt" | "window">, now: number): boolean {
  return slo.exhaustsAt !== undefined && Date.parse(slo.exhaustsAt) - now < slo.window.days * 86_400_000;
}

/**
 * When the budget will be gone at the fastest present rate. Later than one
 * window from now is never: by then what is bad today has left the window.
 */
export function Exhausts({ slo }: { slo: Pick<SLO, "budgetLeft" | "exhaustsAt" | "total" | "window"> }) {
  const { t } = useTranslation();
  const f = useFormat();
  const now = useNow();
  const left = budgetOf(slo);
  if (left === undefined) return <span className="dim">–</span>;
  if (left <= 0) return <>{t("slo.exhausted")}</>;
  if (!exhaustsWithin(slo, now)) return <span className="dim">{t("slo.notAtThisRate")}</span>;
  return (
    <time dateTime={slo.exhaustsAt} title={f.dateTime(slo.exhaustsAt)}>
      {t("slo.inTime", { time: f.duration(Date.parse(slo.exhaustsAt ?? "") - now) })}
    </time>
  );
}

/** A filter as the server is asked. */
export function queryOf({ status, ...filter }: SLOFilter) {
  return { ...filter, status: status && [status] };
}

/** The filter for one group's objectives; "-" asks for those that have none. */
export function inGroup(filter: SLOFilter, by: SLOGroup, key: string): SLOFilter {
  return { ...filter, [by]: key || "-" };
}

/** A group's name as readers know it. */
export function useGroupName(by: SLOGroup): (key: string) => string {
  const { t } = useTranslation();
  return (key) => (!key ? t("group.without") : by === "tier" ? t("slo.tierN", { n: key }) : key);
}

/** The labels of an instance in words: tenant=acme, region=eu. */
export function labelsText(labels: SLO["labels"], none: string): string {
  return (labels ?? []).map((l) => `${l.name}=${l.value || none}`).join(", ");
}
