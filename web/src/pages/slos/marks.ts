import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { journal, sloExclusions } from "../../api/queries";
import type { Entry, SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import type { ChartProps } from "../../parts/Chart";
import { useKindName } from "../../parts/Entry";
import { splitRef } from "../../parts/Ref";
import { targetChange } from "./targetChange";

type Marks = NonNullable<ChartProps["marks"]>;

/** More exclusions than this are hatched only: marks for every night of a year would hide the chart. */
const mostExclusions = 40;

const happenings = ["deploy.finished", "slo.alert_fired", "incident.*"];
const changes = ["slo.changed", "slo.agreement_in_force", "slo.policy_state_changed"];

/** What happened to an objective and its service, to be marked on charts. */
export function useMarks(slo: Pick<SLODetail, "name" | "document" | "service">, from: string, to: string, asOf?: string): Marks {
  const { t } = useTranslation();
  const f = useFormat();
  const name = useKindName();
  const happened = useQuery(journal({ kind: happenings, subject: "service:" + slo.service, from, to, limit: 50 }));
  const changed = useQuery(journal({ kind: changes, subject: "slo:" + slo.document, from, to, limit: 50 }));
  const excluded = useQuery(sloExclusions(slo.name, { from, to, asOf }));
  return useMemo(() => {
    const worded = (e: Entry) => {
      const targets = targetChange(e.data);
      return targets ? t("chart.objectiveChanged", { what: name(e.kind), before: f.objective(targets[0]), after: f.objective(targets[1]) }) : name(e.kind);
    };
    const spans = excluded.data?.items ?? [];
    return [
      ...(changed.data?.items ?? []).map((e) => ({ at: Date.parse(e.time), label: worded(e), tint: "chart-2" as const, group: t("chart.changes") })),
      ...(spans.length <= mostExclusions ? spans : []).map((x) => ({ at: Date.parse(x.from), label: x.reason, tint: "chart-3" as const, group: t("chart.exclusions") })),
      ...(happened.data?.items ?? []).map((e) => ({
        at: Date.parse(e.time),
        label: `${name(e.kind)} ${splitRef(e.subject).name}`,
        ...(e.kind.startsWith("deploy.") ? { tint: "ink-2" as const, group: t("chart.deployments") } : { tint: "bad" as const, group: t("chart.alerts") }),
      })),
    ];
  }, [happened.data, changed.data, excluded.data, name, f, t]);
}
