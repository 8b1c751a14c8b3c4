import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { retiredInstance } from "../../api/queries";
import type { RetiredInstance } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { useFormat } from "../../format";
import { Chart, type ChartLine } from "../../parts/Chart";
import { budgetRange } from "../../parts/chartMath";
import { Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";
import { AlertHistory } from "./AlertRules";
import { labelsText } from "./parts";

/** What an instance was that was absent for long: its last figures, its days and its alerts. */
export function RetiredPage({ name }: { name: string }) {
  const { t } = useTranslation();
  const query = useQuery(retiredInstance(name));
  const was = query.data;
  usePageTitle(was?.title || name);
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/slos">{t("nav.slos")}</Link> <span aria-hidden>/</span>{" "}
          {was && (
            <>
              <Link to="/slos/$name" params={{ name: was.of }}>
                {was.of}
              </Link>{" "}
              <span aria-hidden>/</span>{" "}
            </>
          )}
          <span className="anywhere">{was ? labelsText(was.labels, t("group.without")) : name}</span>
        </nav>
        <div className="row">
          <h1 className="anywhere">{was?.title || name}</h1>
          {was && <span className="tag">{t("instances.gone")}</span>}
        </div>
        {was && (
          <div className="row dim small">
            <span>
              {t("slo.service")}:{" "}
              <Link to="/services/$name" params={{ name: was.service }}>
                {was.service}
              </Link>
            </span>
          </div>
        )}
      </div>
      <Loaded query={query} lines={8}>
        {(x) => (
          <>
            <div className="banner" role="status">
              <div className="title">{t("instances.goneTitle")}</div>
              <div className="sentence">{t("instances.goneWhat", { of: x.of })}</div>
            </div>
            <Figures was={x} />
            <Section id="days" title={t("instances.days")}>
              {x.days?.length ? <Days was={x} /> : <p className="dim">{t("instances.never")}</p>}
            </Section>
            <Section id="history" title={t("slo.history")}>
              <AlertHistory alerts={x.alerts ?? []} />
            </Section>
          </>
        )}
      </Loaded>
    </div>
  );
}

function Figures({ was }: { was: RetiredInstance }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <dl className="facts many">
      <div>
        <dt>{t("slo.sli")}</dt>
        <dd>
          {f.sli(was.sli, was.objective)}
          <small>{t("slo.promised", { objective: f.objective(was.objective), window: f.window(was.window.duration) })}</small>
        </dd>
      </div>
      <div>
        <dt>{t("slo.budgetLeft")}</dt>
        <dd>
          {f.budget(was.budgetLeft)}
          <small>{t("instances.lastFigures")}</small>
        </dd>
      </div>
      <div>
        <dt>{t("query.total")}</dt>
        <dd>
          {f.number(was.total)}
          <small>
            {t("query.bad")} {f.number(was.total - was.good)}
          </small>
        </dd>
      </div>
      <div>
        <dt>{t("instances.last")}</dt>
        <dd>
          {was.lastAt ? <At at={was.lastAt} short /> : "–"}
          <small>
            {t("instances.first")} {was.firstAt ? <At at={was.firstAt} short /> : "–"}
          </small>
        </dd>
      </div>
      <div>
        <dt>{t("instances.gone")}</dt>
        <dd>
          <At at={was.retiredAt} short />
          <small>
            {t("instances.found")} <At at={was.foundAt} short />
          </small>
        </dd>
      </div>
    </dl>
  );
}

function Days({ was }: { was: RetiredInstance }) {
  const { t } = useTranslation();
  const f = useFormat();
  const days = useMemo(() => was.days ?? [], [was]);
  const times = useMemo(() => days.map((d) => Date.parse(d.at)), [days]);
  const lines = useMemo<ChartLine[]>(() => [{ label: t("slo.budgetLeft"), values: days.map((d) => d.budgetLeft ?? null), tint: "accent", fill: true }], [days, t]);
  return (
    <>
      {times.length > 1 && <Chart title={t("slo.budgetLeft")} unit={t("chart.budgetUnit")} window={f.window(was.window.duration)} times={times} lines={lines} format={f.budget} range={budgetRange} />}
      <TableBox label={t("instances.days")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("instances.day")}</th>
              <th scope="col" className="num">
                {t("query.total")}
              </th>
              <th scope="col" className="num">
                {t("query.bad")}
              </th>
              <th scope="col" className="num">
                {t("slo.budgetLeft")}
              </th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((d) => (
              <tr key={d.at}>
                <td>{d.at.slice(0, 10)}</td>
                <td className="num">{f.number(d.total)}</td>
                <td className="num">{f.number(d.total - d.good)}</td>
                <td className="num">{f.budget(d.budgetLeft)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}
