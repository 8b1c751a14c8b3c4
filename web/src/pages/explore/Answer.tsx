import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { instantQuery, rangeQuery } from "../../api/queries";
import type { QueryResult } from "../../api/types";
import type { ExploreSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { Chart, type ChartLine, type Tint } from "../../parts/Chart";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { align, autoStep, stepOf } from "./results";

const tints: Tint[] = ["accent", "chart-2", "chart-3", "warn", "chart-5", "chart-6", "chart-4"];
/** More lines cannot be told apart. */
const mostLines = 14;
const mostRows = 500;

interface Props {
  search: ExploreSearch;
  /** Milliseconds. */
  span: number;
  onFault: (problem: Problem | undefined) => void;
}

/** What the source says, as a chart over the range and as a table at its end. */
export function Answer({ search, span, onFault }: Props) {
  const { t } = useTranslation();
  const f = useFormat();
  const step = stepOf(search.step) ?? autoStep(span);
  // A minute's grain, so that both questions are of the same time.
  const minute = Math.floor(Date.now() / 60_000);
  const to = search.to ? Date.parse(search.to) : minute * 60_000;
  const asked = { source: search.source, query: search.q ?? "" };
  const over = useQuery(rangeQuery({ ...asked, from: new Date(to - span).toISOString(), to: new Date(to).toISOString(), step: `${step}s` }));
  const now = useQuery(instantQuery({ ...asked, time: new Date(to).toISOString() }));
  const failed = over.error instanceof Problem ? over.error : undefined;
  useEffect(() => onFault(failed), [failed, onFault]);
  return (
    <>
      <Section
        title={t("explore.answer")}
        note={over.data && t("explore.found", { count: over.data.total, number: f.number(over.data.total) })}
        more={
          <span className="chips" role="group" aria-label={t("slos.as")}>
            {([undefined, "table"] as const).map((as) => (
              <Link key={as ?? "chart"} to="/explore" search={{ ...search, as }} replace resetScroll={false} activeOptions={{ exact: true, includeSearch: true }}>
                {as ? t("explore.table") : t("explore.chart")}
              </Link>
            ))}
          </span>
        }
      >
        {search.as === "table" ? (
          <Loaded query={now} lines={6}>
            {(result) => <Table result={result} />}
          </Loaded>
        ) : (
          <Loaded query={over} lines={6}>
            {(result) => <Lines result={result} step={step} title={search.q ?? ""} />}
          </Loaded>
        )}
      </Section>
      <p className="dim small">{t("explore.limits")}</p>
    </>
  );
}

function Lines({ result, step, title }: { result: QueryResult; step: number; title: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const { times, lines } = useMemo(() => align(result, mostLines), [result]);
  const drawn = useMemo<ChartLine[]>(() => lines.map((l, i) => ({ label: l.name || t("explore.noLabels"), values: l.values, tint: tints[i % tints.length], dash: i >= tints.length })), [lines, t]);
  if (times.length === 0) return <Empty title={t("chart.noData")}>{t("explore.emptyWhat")}</Empty>;
  return (
    <>
      <Chart title={title.length > 80 ? title.slice(0, 79) + "…" : title} unit={t("explore.step1", { step: f.duration(step * 1000) })} times={times} lines={drawn} format={f.value} height={280} />
      {result.total > lines.length && <p className="small">{t("explore.drawn", { drawn: f.number(lines.length), total: f.number(result.total) })}</p>}
    </>
  );
}

function Table({ result }: { result: QueryResult }) {
  const { t } = useTranslation();
  const f = useFormat();
  const rows = (result.series ?? []).slice(0, mostRows);
  if (rows.length === 0) return <Empty title={t("explore.empty")}>{t("explore.emptyWhat")}</Empty>;
  return (
    <>
      <TableBox label={t("explore.answer")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("explore.series")}</th>
              <th scope="col" className="num">
                {t("explore.value")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((s) => (
              <tr key={s.name}>
                <td className="anywhere">
                  <code>{s.name || t("explore.noLabels")}</code>
                </td>
                <td className="num">{f.value(s.values?.at(-1))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {result.total > rows.length && <p className="small">{t("explore.listed", { listed: f.number(rows.length), total: f.number(result.total) })}</p>}
    </>
  );
}
