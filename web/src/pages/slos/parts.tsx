import { useTranslation } from "react-i18next";
import type { SLO } from "../../api/types";
import { useFormat } from "../../format";
import { useNow } from "../../parts/now";

/** When the budget will be gone at the fastest present rate. */
export function Exhausts({ slo }: { slo: Pick<SLO, "budgetLeft" | "exhaustsAt"> }) {
  const { t } = useTranslation();
  const f = useFormat();
  const now = useNow();
  if (slo.budgetLeft !== undefined && slo.budgetLeft !== null && slo.budgetLeft <= 0) return <>{t("slo.exhausted")}</>;
  if (!slo.exhaustsAt) return <span className="dim">{t("slo.notAtThisRate")}</span>;
  return (
    <time dateTime={slo.exhaustsAt} title={f.dateTime(slo.exhaustsAt)}>
      {t("slo.inTime", { time: f.duration(new Date(slo.exhaustsAt).getTime() - now) })}
    </time>
  );
}
