import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { slo as sloQuery, sloAlerts } from "../../api/queries";
import type { SLODetail } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { Range } from "../../app/urlState";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import type { TextKey } from "../../i18n/texts";
import { Code } from "../../parts/Code";
import { Managed } from "../../parts/Managed";
import { Loaded } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { budgetTone, Severity, Status, toneOf } from "../../parts/Status";
import { Ago, At } from "../../parts/Time";
import { budgetOf, Exhausts, exhaustsWithin, sliOf } from "./parts";
import { AlertHistory, AlertRules } from "./AlertRules";
import { Exclusions } from "./Exclusions";
import { Replay } from "./Replay";
import { SLOCharts } from "./SLOCharts";
import { Watched } from "./Watched";

interface SectionProps {
  id: string;
  slo: SLODetail;
  range?: Range;
  asOf?: string;
}

/** What the page shows beneath the state, in this order; each names itself in the address: /slos/checkout#alerts. */
const sections: readonly { id: string; title: TextKey; Body: ComponentType<SectionProps> }[] = [
  { id: "charts", title: "slo.charts", Body: SLOCharts },
  { id: "alerts", title: "slo.rules", Body: Rules },
  { id: "replay", title: "replay.title", Body: Replay },
  { id: "exclusions", title: "exclusion.short", Body: Excluding },
  { id: "history", title: "slo.history", Body: History },
  { id: "queries", title: "slo.queries", Body: Queries },
  { id: "data", title: "slo.data", Body: Watched },
];

/** One promise: whether it is kept, why, and the evidence. */
export function SLOPage() {
  const { name } = useParams({ from: "/slos/$name" });
  const { range, asOf } = useSearch({ from: "/slos/$name" });
  const query = useQuery(sloQuery(name));
  const { t } = useTranslation();
  usePageTitle(query.data?.title || name);
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/slos">{t("nav.slos")}</Link> <span aria-hidden>/</span> <span className="anywhere">{name}</span>
        </nav>
        <div className="row">
          <h1 className="anywhere">{query.data?.title || name}</h1>
          {query.data && <Status status={query.data.status} />}
        </div>
        {query.data && <Belongs slo={query.data} />}
      </div>
      <Loaded query={query} lines={10}>
        {(slo) => (
          <>
            <State slo={slo} />
            <Facts slo={slo} />
            <nav className="toc" aria-label={t("contents")}>
              <ul className="subnav">
                {sections.map((s) => (
                  <li key={s.id}>
                    <a href={"#" + s.id}>{t(s.title)}</a>
                  </li>
                ))}
              </ul>
            </nav>
            {sections.map((s) => (
              <s.Body key={s.id} id={s.id} slo={slo} range={range} asOf={asOf} />
            ))}
          </>
        )}
      </Loaded>
    </div>
  );
}

function Belongs({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  return (
    <div className="row dim small">
      <span>
        {t("slo.service")}:{" "}
        <Link to="/services/$name" params={{ name: slo.service }}>
          {slo.service}
        </Link>
      </span>
      {slo.owner && (
        <span>
          {t("slo.owner")}:{" "}
          <Link to="/services" search={{ owner: slo.owner }}>
            {slo.owner}
          </Link>
        </span>
      )}
      {slo.tier && <span className="tag">{t("slo.tierN", { n: slo.tier })}</span>}
      <Managed origin={slo.managedBy} />
    </div>
  );
}

/** State, then reason, then what to do. */
function State({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const say = useSay();
  const tone = toneOf(slo.status);
  const service = (
    <Link to="/services/$name" params={{ name: slo.service }}>
      {slo.service}
    </Link>
  );
  return (
    <div className="banner" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <div className="title">{t(`state.${slo.status}`)}</div>
      {say(slo.statusReason) && <div className="sentence">{say(slo.statusReason)}</div>}
      {(slo.alerts ?? []).map((a) => (
        <div key={a.id} className="row small">
          <Severity severity={a.severity} />
          <span className="dim">
            {t("alert.since")} <Ago at={a.since} />
          </span>
          {a.explanation && <span className="sentence">{say(a.explanation)}</span>}
        </div>
      ))}
      <div className="small dim">
        {t(`todo.${slo.status}`)} {(slo.status === "burning" || slo.status === "attention") && service}
      </div>
      {slo.description && <div className="small anywhere">{slo.description}</div>}
    </div>
  );
}

function Facts({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const tone = budgetTone(budgetOf(slo), slo.status);
  const left = budgetOf(slo);
  const burn = (window: string) => (slo.known > 0 ? slo.burnRates?.[window] : undefined);
  const spare = left === undefined ? undefined : (1 - slo.objective) * slo.window.days * 86_400_000 * left;
  return (
    <dl className="facts">
      <div>
        <dt>{t("slo.sli")}</dt>
        <dd>
          {f.sli(sliOf(slo), slo.objective)}
          <small>{t("slo.promised", { objective: f.objective(slo.objective), window: f.window(slo.window.duration) })}</small>
        </dd>
      </div>
      <div data-tone={tone === "bad" ? "bad" : tone === "ok" ? undefined : "warn"}>
        <dt>{t("slo.budgetLeft")}</dt>
        <dd>
          {f.budget(left)}
          <small>{spare !== undefined ? (spare >= 0 ? t("slo.spare", { time: f.duration(spare) }) : t("slo.over", { time: f.duration(-spare) })) : t("unknown")}</small>
        </dd>
      </div>
      <div>
        <dt>{t("slo.burn1h")}</dt>
        <dd>
          {f.burnRate(burn("1h"))}
          <small>{t("slo.burnOthers", { six: f.burnRate(burn("6h")), three: f.burnRate(burn("3d")) })}</small>
        </dd>
      </div>
      <div>
        <dt>{t("slo.exhausts")}</dt>
        <dd>
          <Exhausts slo={slo} />
          <small>{slo.exhaustsAt && exhaustsWithin(slo, Date.now()) ? t("slo.byForecast", { time: f.dateTime(slo.exhaustsAt), window: f.window(slo.forecasts.find((c) => c.fastest)?.window) }) : left === undefined ? t("unknown") : t("slo.fastest")}</small>
        </dd>
      </div>
      <div data-tone={slo.known < 0.95 ? "warn" : undefined}>
        <dt>{t("slo.known")}</dt>
        <dd>
          {f.percent(slo.known)}
          <small>
            {t("slo.updated")} <Ago at={slo.watermark ?? slo.updatedAt} />
          </small>
        </dd>
      </div>
    </dl>
  );
}

function Rules({ id, slo }: SectionProps) {
  const { t } = useTranslation();
  return (
    <Section id={id} title={t("slo.rules")} note={t("slo.rulesNote")}>
      <AlertRules slo={slo} />
    </Section>
  );
}

function Excluding({ id, slo }: SectionProps) {
  const { t } = useTranslation();
  return (
    <Section id={id} title={t("exclusion.title")} note={t("exclusion.note")}>
      <Exclusions slo={slo} />
    </Section>
  );
}

function History({ id, slo }: SectionProps) {
  const { t } = useTranslation();
  const query = useQuery(sloAlerts(slo.name));
  return (
    <Section id={id} title={t("slo.history")} more={<Link to="/activity" search={{ subject: "slo:" + slo.name }}>{t("slo.activity")}</Link>}>
      <Loaded query={query}>{(data) => <AlertHistory alerts={data.items ?? []} />}</Loaded>
    </Section>
  );
}

/** The expressions as written, each with what is asked of the source each minute. */
function queriesOf({ queries: q }: SLODetail): { role: "good" | "bad" | "total"; source: string; evaluated?: string }[] {
  const part = q.bad ? ({ role: "bad", source: q.bad } as const) : ({ role: "good", source: q.good ?? "" } as const);
  return [
    { ...part, evaluated: q.evaluatedPart },
    { role: "total", source: q.total, evaluated: q.evaluatedTotal },
  ];
}

function Queries({ id, slo }: SectionProps) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <Section id={id} title={t("slo.queries")} note={t("slo.queriesNote", { source: slo.dataSource || t("slo.defaultSource") })}>
      {queriesOf(slo).map((q) => (
        <div key={q.role} className="section" style={{ gap: "0.375rem" }}>
          <div className="row">
            <h3>{t(`query.${q.role}`)}</h3>
            <Link className="small" to="/explore" search={{ q: q.evaluated || q.source, source: slo.dataSource || undefined, range: "6h" }} aria-label={t("explore.openOf", { what: t(`query.${q.role}`) })}>
              {t("explore.open")}
            </Link>
          </div>
          <Code text={q.source} />
          {q.evaluated && q.evaluated !== q.source && (
            <details>
              <summary className="small dim">{t("slo.evaluated")}</summary>
              <Code text={q.evaluated} />
            </details>
          )}
        </div>
      ))}
      <p className="small">
        <span className="tag">{slo.exact ? t("slo.exact") : t("slo.approximate")}</span> {say(slo.exactNote)}
      </p>
      <p className="small dim">
        {t("slo.watermark")} <At at={slo.watermark} /> · {t("slo.settle", { time: f.window(slo.settle) })} · {slo.absent === "bad" ? t("slo.absentBad") : t("slo.absentUnknown")}
      </p>
    </Section>
  );
}
