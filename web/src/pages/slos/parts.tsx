import { useTranslation } from "react-i18next";
import type { SLO } from "../../api/types";
import { useFormat } from "../../format";
import { useNow } from "../../parts/now";

/** The SLI, where anything was counted at all. */
export function sliOf(slo: Pick<SLO, "sli" | "total">): number | undefined {
  return slo.total > 0 ? slo.sli : undefined;
}

/** What is left of the budget, where anything was counted at all. */
export function budgetOf(slo: Pick<SLO, "budgetLeft" | "total">): number | undefined {
  return slo.total > 0 ? slo.budgetLeft : undefined;
}

/** When the budget will be gone at the fastest present rate. */
export function Exhausts({ slo }: { slo: Pick<SLO, "budgetLeft" | "exhaustsAt" | "total"> }) {
  const { t } = useTranslation();
  const f = useFormat();
  const now = useNow();
  const left = budgetOf(slo);
  if (left === undefined) return <span className="dim">–</span>;
  if (left <= 0) return <>{t("slo.exhausted")}</>;
  if (!slo.exhaustsAt) return <span className="dim">{t("slo.notAtThisRate")}</span>;
  return (
    <time dateTime={slo.exhaustsAt} title={f.dateTime(slo.exhaustsAt)}>
      {t("slo.inTime", { time: f.duration(new Date(slo.exhaustsAt).getTime() - now) })}
    </time>
  );
}
