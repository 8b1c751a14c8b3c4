import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { sloSeries } from "../../api/queries";
import type { SLODetail } from "../../api/types";
import { ranges, type Range } from "../../app/urlState";
import { useFormat } from "../../format";
import { parseDuration } from "../../format/time";
import { Chart, type ChartLine, type Tint } from "../../parts/Chart";
import { bandOf, budgetRange, burnRange, firmFrom, paceOf, sliRange, windowStarts } from "../../parts/chartMath";
import { Empty, Loaded } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { useMarks } from "./marks";

const burnTints: Tint[] = ["accent", "chart-2", "chart-3", "chart-4"];
/** Burn-rate lines by range: windows much longer than the range say little in it. */
const burnWindows = ["1h", "6h", "1d", "3d"];

/** A minute's grain, so that charts asked for within one minute share an answer. */
function spanOf(range: Range, at?: string): { from: string; to: string } {
  const to = Math.floor((at ? Date.parse(at) : Date.now()) / 60_000) * 60_000;
  return { from: new Date(to - parseDuration(range)).toISOString(), to: new Date(to).toISOString() };
}

export function SLOCharts({ id, slo, range, at }: { id: string; slo: SLODetail; range?: Range; at?: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const chosen = range ?? "30d";
  return (
    <Section
      id={id}
      title={t("slo.charts")}
      more={
        <span className="chips" role="group" aria-label={t("slo.range")}>
          {ranges.map((r) => (
            <Link key={r} to="/slos/$name" params={{ name: slo.name }} search={(old) => ({ ...old, range: r === "30d" ? undefined : r })} replace resetScroll={false} activeOptions={{ exact: true, includeSearch: true }}>
              {f.window(r)}
            </Link>
          ))}
        </span>
      }
    >
      <Charts slo={slo} range={chosen} at={at} />
    </Section>
  );
}

function Charts({ slo, range, at }: { slo: SLODetail; range: Range; at?: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const minute = Math.floor(Date.now() / 60_000);
  const span = useMemo(() => spanOf(range, at), [range, at, minute]);
  const query = useQuery(sloSeries(slo.name, { ...span, points: 600, asOf: at }));
  const happened = useMarks(slo, span.from, span.to, at);
  const series = query.data;
  const excluded = useMemo(() => series?.excluded?.map((share) => share > 0), [series]);
  const marks = useMemo(() => [...happened, ...windowStarts(series?.windowFrom ?? []).map((at) => ({ at, label: t("chart.windowStart"), tint: "accent" as const, group: t("chart.windowStarts") }))], [happened, series, t]);
  const budgetBand = useMemo(() => bandOf(series?.budgetLow, series?.budgetHigh), [series]);
  const sliBand = useMemo(() => bandOf(series?.sliLow, series?.sliHigh), [series]);
  const times = useMemo(() => series?.times ?? [], [series]);

  const budget = useMemo<ChartLine[]>(() => {
    const left: ChartLine = { label: t("slo.budgetLeft"), values: series?.budgetLeft ?? [], tint: "accent", fill: true, provisional: series?.windowKnown.map((share) => share < firmFrom) };
    if (!slo.calendar || !series) return [left];
    return [left, { label: t("chart.pace"), values: paceOf(times, series.windowFrom ?? [], Date.parse(slo.calendar.to)), tint: "chart-4", dash: true }];
  }, [series, slo.calendar, times, t]);
  const sli = useMemo<ChartLine[]>(() => [{ label: t("slo.sli"), values: series?.sli ?? [], tint: "accent" }], [series, t]);
  const events = useMemo<ChartLine[]>(
    () => [
      { label: t("query.total"), values: series?.total ?? [], tint: "accent" },
      { label: t("query.bad"), values: (series?.total ?? []).map((all, i) => (all === null ? null : all - (series?.good?.[i] ?? all))), tint: "bad" },
    ],
    [series, t],
  );
  const burn = useMemo<ChartLine[]>(() => {
    const windows = burnWindows.filter((w) => series?.burn?.[w]);
    return windows.map((w, i) => ({ label: f.window(w), values: series?.burn?.[w] ?? [], tint: burnTints[i], dash: i > 1 }));
  }, [series, f]);
  const target = useMemo(() => [{ value: slo.objective, label: t("slo.objectiveLine", { objective: f.objective(slo.objective) }), tint: "warn" as const }], [slo.objective, f, t]);
  const empty = useMemo(() => [{ value: 0, label: t("slo.budgetGone"), tint: "warn" as const }], [t]);
  const factors = useMemo(() => {
    const seen = new Map<number, { value: number; label: string; tint: Tint }>();
    for (const r of (slo.alertRules ?? []).filter((r) => r.factor > 0)) {
      const label = `${t(r.severity === "page" ? "severity.page" : "severity.ticket")} ${f.burnRate(r.factor)} (${f.window(r.long)})`;
      const old = seen.get(r.factor);
      seen.set(r.factor, { value: r.factor, label: old ? old.label + ", " + label : label, tint: r.severity === "page" ? "bad" : "warn" });
    }
    return [...seen.values()];
  }, [slo.alertRules, f, t]);

  const window = slo.calendar ? t("slo.calendarWindow") : f.window(slo.window.duration);
  return (
    <Loaded query={query} lines={8}>
      {() =>
        !series?.total?.some((v) => v !== null) ? (
          <Empty title={t("chart.noData")}>{t("chart.noDataWhat")}</Empty>
        ) : (
          <div className="section" style={{ gap: "0.875rem" }}>
            <Chart title={t("chart.budget")} unit={t("chart.budgetUnit")} window={window} times={times} lines={budget} thresholds={empty} marks={marks} provisionalNote={t("chart.provisional", { share: f.percent(firmFrom, 0), window })} format={f.budget} range={budgetRange} band={budgetBand} excluded={excluded} sync="slo" height={210} />
            <div className="cols" style={{ gap: "0.875rem" }}>
              <Chart title={t("slo.sli")} unit={t("chart.sliUnit")} window={f.duration((series?.stepSeconds ?? 60) * 1000)} times={times} lines={sli} thresholds={target} marks={marks} format={(v) => f.sli(v, slo.objective)} range={sliRange} band={sliBand} excluded={excluded} sync="slo" />
              <Chart title={t("chart.burn")} unit={t("chart.burnUnit")} times={times} lines={burn} thresholds={factors} marks={marks} format={f.burnRate} range={burnRange} sync="slo" wide />
            </div>
            <Chart title={t("chart.events")} unit={series?.counts === "slices" ? t("chart.slicesUnit") : t("chart.eventsUnit")} window={f.duration((series?.stepSeconds ?? 60) * 1000)} times={times} lines={events} marks={marks} format={f.value} range={(_low, high) => [0, Math.max(high, 1) * 1.1]} excluded={excluded} sync="slo" />
            <p className="dim small">{t("chart.unknownNote")}</p>
          </div>
        )
      }
    </Loaded>
  );
}
