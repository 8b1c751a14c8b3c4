import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import type { ComponentType } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { slo as sloQuery, sloAlerts } from "../../api/queries";
import type { SLODetail } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { Range } from "../../app/urlState";
import { useSay } from "../../i18n";
import type { TextKey } from "../../i18n/texts";
import { Managed } from "../../parts/Managed";
import { Loaded } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Severity, Status, toneOf } from "../../parts/Status";
import { Ago } from "../../parts/Time";
import { AlertHistory, AlertRules } from "./AlertRules";
import { AskThen, Then } from "./AsOf";
import { Commitment } from "./Commitment";
import { Contributions } from "./Contributions";
import { Debits } from "./Debits";
import { Exclusions } from "./Exclusions";
import { Facts } from "./Facts";
import { Instances } from "./Instances";
import { labelsText } from "./parts";
import { Queries } from "./Queries";
import { Replay } from "./Replay";
import { RetiredPage } from "./Retired";
import { SLOCharts } from "./SLOCharts";
import { Watched } from "./Watched";

interface SectionProps {
  id: string;
  slo: SLODetail;
  range?: Range;
  /** The time whose knowledge is shown, where that is not now. */
  at?: string;
}

/**
 * What the page shows beneath the state, in this order; each names itself in the
 * address: /slos/checkout#alerts. Those of then can also show what was known at
 * an earlier time; the others are only of now.
 */
const sections: readonly { id: string; title: TextKey; Body: ComponentType<SectionProps>; then?: true; /** Whether an objective has such a part; all have where absent. */ has?: (slo: SLODetail) => boolean }[] = [
  { id: "charts", title: "slo.charts", Body: SLOCharts, then: true },
  { id: "instances", title: "instances.short", Body: Instances, has: (slo) => !!slo.instances },
  { id: "alerts", title: "slo.rules", Body: Rules, then: true },
  { id: "spent", title: "debit.short", Body: Debits, then: true },
  { id: "contributions", title: "contribution.short", Body: Contributions },
  { id: "commitment", title: "commitment.title", Body: Commitment },
  { id: "replay", title: "replay.title", Body: Replay },
  { id: "exclusions", title: "exclusion.short", Body: Excluding },
  { id: "history", title: "slo.history", Body: History },
  { id: "queries", title: "slo.queries", Body: Queries },
  { id: "data", title: "slo.data", Body: Watched, then: true },
];

/** One promise: whether it is kept, why, and the evidence. */
export function SLOPage() {
  const { name } = useParams({ from: "/slos/$name" });
  const { range, asOf } = useSearch({ from: "/slos/$name" });
  const at = asOf && new Date(asOf).toISOString();
  const query = useQuery(sloQuery(name, at));
  const shown = sections.filter((s) => (!at || s.then) && (!s.has || (query.data && s.has(query.data))));
  const { t } = useTranslation();
  usePageTitle(query.data?.title || name);
  if (query.error instanceof Problem && query.error.status === 404 && name.includes("=")) return <RetiredPage name={name} />;
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/slos">{t("nav.slos")}</Link> <span aria-hidden>/</span>{" "}
          {query.data?.of && (
            <>
              <Link to="/slos/$name" params={{ name: query.data.of }}>
                {query.data.of}
              </Link>{" "}
              <span aria-hidden>/</span>{" "}
            </>
          )}
          <span className="anywhere">{query.data?.of ? labelsText(query.data.labels, t("group.without")) : name}</span>
        </nav>
        <div className="row">
          <h1 className="anywhere">{query.data?.title || name}</h1>
          {query.data && <Status status={query.data.status} />}
        </div>
        {query.data && <Belongs slo={query.data} />}
      </div>
      {asOf && <Then asOf={asOf} slo={query.data} />}
      <Loaded query={query} lines={10}>
        {(slo) => (
          <>
            <State slo={slo} at={at} />
            <Facts slo={slo} />
            {!asOf && <AskThen />}
            <nav className="toc" aria-label={t("contents")}>
              <ul className="subnav">
                {shown.map((s) => (
                  <li key={s.id}>
                    <a href={"#" + s.id}>{t(s.title)}</a>
                  </li>
                ))}
              </ul>
            </nav>
            {shown.map((s) => (
              <s.Body key={s.id} id={s.id} slo={slo} range={range} at={at} />
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
      <Link to="/edit" search={{ kind: "SLO", name: slo.document }}>
        {t("slo.edit")}
      </Link>
    </div>
  );
}

/** State, then reason, then what to do. */
function State({ slo, at }: { slo: SLODetail; at?: string }) {
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
      {!at && (
        <div className="small dim">
          {t(`todo.${slo.status}`)} {(slo.status === "burning" || slo.status === "attention") && service}
        </div>
      )}
      {slo.description && <div className="small anywhere">{slo.description}</div>}
    </div>
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
