import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { probe as probeQuery, probeResults, probeSeries } from "../../api/queries";
import type { ProbeDetail, ProbeResult } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { ProbeSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Chart, type ChartLine, type Tint } from "../../parts/Chart";
import { Choice } from "../../parts/Filters";
import { Managed, originOf } from "../../parts/Managed";
import { Empty, Failed, Loaded, Loading } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago, At } from "../../parts/Time";
import { Day, Outcome, ProbeState, probeTone } from "./parts";
import { Waterfall } from "./Waterfall";

const tints: Tint[] = ["accent", "chart-2", "chart-3", "chart-5", "chart-6", "chart-4"];

/** One probe: whether it is answered, from where, how fast, and where the time goes. */
export function ProbePage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: "/probes/$name" });
  const query = useQuery(probeQuery(name));
  usePageTitle(query.data?.title || name);
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/probes">{t("nav.probes")}</Link> <span aria-hidden>/</span> <span className="anywhere">{name}</span>
        </nav>
        <div className="row">
          <h1 className="anywhere">{query.data?.title || name}</h1>
          {query.data && <ProbeState state={query.data.state} />}
        </div>
        {query.data && <About probe={query.data} />}
      </div>
      <Loaded query={query} lines={8}>
        {(probe) => (
          <>
            <State probe={probe} />
            <ByLocation probe={probe} />
            <Latency name={name} />
            <Latest probe={probe} />
            <Results probe={probe} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function About({ probe: p }: { probe: ProbeDetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <div className="row dim small">
      <span>
        {t("slo.service")}:{" "}
        <Link to="/services/$name" params={{ name: p.service }}>
          {p.service}
        </Link>
      </span>
      {p.slo && (
        <span>
          SLO:{" "}
          <Link to="/slos/$name" params={{ name: p.slo }}>
            {p.slo}
          </Link>
        </span>
      )}
      <span className="tag">{p.type}</span>
      <span>{t("probe.rhythm", { every: f.duration(p.intervalSeconds * 1000), timeout: f.duration(p.timeoutSeconds * 1000) })}</span>
      <Managed origin={originOf(p.origin)} />
    </div>
  );
}

function State({ probe: p }: { probe: ProbeDetail }) {
  const { t } = useTranslation();
  const say = useSay();
  const tone = probeTone(p.state);
  return (
    <div className="banner" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <div className="title">{t(`probeSays.${p.state}`)}</div>
      {say(p.reason) && <div className="sentence">{say(p.reason)}</div>}
      {p.since && (
        <div className="small dim">
          {t("probe.since")} <Ago at={p.since} />
        </div>
      )}
      <div className="small anywhere">
        <code>{p.target}</code>
      </div>
      {p.description && <div className="small anywhere">{p.description}</div>}
    </div>
  );
}

function ByLocation({ probe: p }: { probe: ProbeDetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <Section title={t("probe.byLocation")} note={t("probe.quorum", { count: p.quorum, all: f.number(p.locations?.length ?? 0) })}>
      <TableBox label={t("probe.byLocation")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("probe.location")}</th>
              <th scope="col">{t("slo.status")}</th>
              <th scope="col">{t("probe.lastCheck")}</th>
              <th scope="col" className="num">
                {t("probe.took")}
              </th>
              <th scope="col" className="num">
                {t("probe.day")}
              </th>
            </tr>
          </thead>
          <tbody>
            {(p.locations ?? []).map((l) => (
              <tr key={l.location} data-tone={l.state === "down" ? "bad" : l.state === "silent" ? "warn" : undefined}>
                <td>{l.location}</td>
                <td>
                  <ProbeState state={l.state} />
                  {l.state !== "up" && l.reason && <div className="sub sentence">{say(l.reason)}</div>}
                </td>
                <td>{l.lastAt ? <Ago at={l.lastAt} /> : <span className="dim">–</span>}</td>
                <td className="num">{l.lastAt ? f.duration(l.lastMs) : "–"}</td>
                <td className="num">
                  <Day day={l.day} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Section>
  );
}

/** How long checks took over the last day, by location. */
function Latency({ name }: { name: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const minute = Math.floor(Date.now() / 60_000);
  const span = useMemo(() => ({ from: new Date((minute - 24 * 60) * 60_000).toISOString(), to: new Date(minute * 60_000).toISOString(), points: 240 }), [minute]);
  const query = useQuery(probeSeries(name, span));
  const series = query.data;
  const times = useMemo(() => [...new Set((series?.locations ?? []).flatMap((l) => (l.points ?? []).map((p) => Date.parse(p.at))))].sort((a, b) => a - b), [series]);
  const lines = useMemo<ChartLine[]>(
    () =>
      (series?.locations ?? []).map((l, i) => {
        const byTime = new Map((l.points ?? []).map((p) => [Date.parse(p.at), p.total > 0 ? p.meanMs : null]));
        return { label: l.location, values: times.map((at) => byTime.get(at) ?? null), tint: tints[i % tints.length] };
      }),
    [series, times],
  );
  return (
    <Section title={t("probe.latency")}>
      <Loaded query={query} lines={5}>
        {() =>
          !lines.some((l) => l.values.some((v) => v !== null)) ? (
            <Empty title={t("chart.noData")}>{t("probe.noChecksWhat")}</Empty>
          ) : (
            <Chart title={t("probe.latency")} unit={t("probe.latencyUnit")} window={f.duration((series?.stepSeconds ?? 60) * 1000)} times={times} lines={lines} format={(ms) => f.duration(ms)} range={(_low, high) => [0, Math.max(1, high * 1.1)]} height={220} />
          )
        }
      </Loaded>
    </Section>
  );
}

function Latest({ probe: p }: { probe: ProbeDetail }) {
  const { t } = useTranslation();
  if (!p.latest?.length) return null;
  return (
    <Section title={t("probe.latest")} note={t("probe.latestNote")}>
      {p.latest.map((r) => (
        <div key={r.id} className="section" style={{ gap: "0.375rem" }}>
          <Head result={r} />
          <Waterfall label={t("probe.waterfallOf", { location: r.location })} steps={r.steps ?? []} />
        </div>
      ))}
    </Section>
  );
}

function Head({ result: r }: { result: ProbeResult }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <div className="row small">
      <Outcome outcome={r.outcome} /> <h3>{r.location}</h3> <At at={r.at} /> <b className="tab">{f.duration(r.totalMs)}</b>
      {r.attempts > 1 && <span className="tag">{t("probe.attempts", { count: r.attempts })}</span>}
      {r.reason && <span className="sentence">{say(r.reason)}</span>}
    </div>
  );
}

/** Past checks, newest first; each opens its waterfall. */
function Results({ probe: p }: { probe: ProbeDetail }) {
  const { t } = useTranslation();
  const search = useSearch({ from: "/probes/$name" });
  const navigate = useNavigate({ from: "/probes/$name" });
  const query = useInfiniteQuery(probeResults(p.name, { ...search, limit: 50 }));
  const rows = query.data?.pages.flatMap((page) => page.items ?? []) ?? [];
  const set = (change: Partial<ProbeSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  return (
    <Section title={t("probe.results")}>
      <div className="filters">
        <Choice label={t("probe.location")} value={search.location} any={t("filter.any")} options={(p.locations ?? []).map((l) => [l.location, l.location])} onChange={(location) => set({ location })} />
        <Choice label={t("probe.outcome")} value={search.outcome} any={t("filter.any")} options={(["failure", "success", "unknown"] as const).map((o) => [o, t(`probeOutcome.${o}`)])} onChange={(outcome) => set({ outcome: outcome as ProbeSearch["outcome"] })} />
      </div>
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={4} />}
      {query.data && rows.length === 0 && <Empty title={t("probe.noChecks")}>{t("probe.noChecksWhat")}</Empty>}
      {rows.length > 0 && (
        <ul className="loglist one">
          {rows.map((r) => (
            <Result key={r.id} result={r} />
          ))}
        </ul>
      )}
      {query.hasNextPage && (
        <div>
          <button className="smallbtn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("more")}
          </button>
        </div>
      )}
    </Section>
  );
}

function Result({ result: r }: { result: ProbeResult }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <li>
      <div className="row between">
        <Head result={r} />
        <button className="linkbtn" aria-expanded={opened} onClick={() => setOpened(!opened)}>
          {opened ? t("probe.hide") : t("probe.show")}
        </button>
      </div>
      {opened && (
        <>
          {r.first && (
            <>
              <p className="small dim">{t("probe.firstAttempt")}</p>
              <Waterfall label={t("probe.firstAttempt")} steps={r.first.steps ?? []} />
            </>
          )}
          <Waterfall label={t("probe.waterfallOf", { location: r.location })} steps={r.steps ?? []} />
        </>
      )}
    </li>
  );
}
