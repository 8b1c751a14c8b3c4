import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { alerts, deliveries, journal, sloCounts, slos, sources } from "../../api/queries";
import type { Alert, Delivery, SLO } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { statuses } from "../../app/urlState";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { DeliveryState } from "../../parts/DeliveryState";
import { EntryList } from "../../parts/Entry";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { SourceTroubles } from "../../parts/Sources";
import { Budget, Severity, Status } from "../../parts/Status";
import { Ago, At } from "../../parts/Time";
import { budgetOf, Exhausts } from "../slos/parts";
import { byMessage } from "./byMessage";
import { verdict } from "./verdict";

/** What changed lately, for the reader who asks "what did we do?". */
const changes = ["deploy.*", "ascode.applied", "slo.changed", "slo.removed", "catalog.entity_changed", "catalog.entity_removed", "notify.channel_changed", "notify.channel_removed", "access.role_changed"];

/** The first page: what burns and why, what to do, and what else is worth knowing. */
export function NowPage() {
  const { t } = useTranslation();
  const f = useFormat();
  const counts = useQuery(sloCounts("status"));
  const firing = useQuery(alerts({ state: "firing", limit: 100 }));
  const soonest = useQuery(slos({ sort: "budget", limit: 8 }));
  usePageTitle(t("nav.now"));

  const tally = Object.fromEntries((counts.data?.items ?? []).map((c) => [c.key, c.total]));
  const total = Object.values(tally).reduce((a, b) => a + b, 0);
  const pages = new Set((firing.data?.items ?? []).filter((a) => a.severity === "page").map((a) => a.slo)).size;
  const known = counts.data && firing.data;
  const state = verdict(tally, pages);

  return (
    <div className="page">
      <div className="pagehead">
        <h1>{known ? (total === 0 ? t("now.noSLOs") : t(`verdict.${state.key}`, { count: state.count, total })) : t("nav.now")}</h1>
        <p className="dim small">{counts.dataUpdatedAt ? t("now.asOf", { time: f.dateTime(counts.dataUpdatedAt) }) : " "}</p>
        {total > 0 && (
          <ul className="tally" aria-label={t("now.tally")}>
            {statuses
              .filter((s) => tally[s])
              .map((s) => (
                <li key={s}>
                  <Link to="/slos" search={{ status: s }}>
                    <Status status={s} /> <b>{f.number(tally[s])}</b>
                  </Link>
                </li>
              ))}
          </ul>
        )}
      </div>

      {known && total === 0 && (
        <Empty title={t("now.startTitle")}>
          <p>{t("now.start")}</p>
          <p>
            <code>teiten apply slos/</code>
          </p>
        </Empty>
      )}
      <SourceTroubles grave />
      <Loaded query={firing}>{(data) => (data.items?.length ? <Firing alerts={data.items} /> : null)}</Loaded>
      <SourceTroubles grave={false} />
      {total > 0 && (
        <Section title={t("now.soonest")} note={t("now.soonestNote")} more={<Link to="/slos" search={{ sort: "budget" }}>{t("now.allSLOs")}</Link>}>
          <Loaded query={soonest}>{(data) => <Soonest slos={data.items ?? []} />}</Loaded>
        </Section>
      )}
      <div className="cols">
        <Delivered />
        <Changed />
      </div>
      <SourcesLine />
    </div>
  );
}

function Firing({ alerts: list }: { alerts: Alert[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <Section title={t("now.firing")} note={t("now.firingNote")}>
      <TableBox label={t("now.firing")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("alert.severity")}</th>
              <th scope="col">{t("alert.what")}</th>
              <th scope="col" className="num narrow-hide">
                {t("alert.burns")}
              </th>
              <th scope="col" className="num">
                {t("alert.since")}
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((a) => (
              <tr key={a.id} data-tone={a.severity === "page" ? "bad" : "warn"}>
                <td>
                  <Severity severity={a.severity} />
                </td>
                <td>
                  <Link to="/slos/$name" params={{ name: a.slo }} className="strong">
                    {a.title || a.slo}
                  </Link>{" "}
                  <span className="dim">
                    {t("alert.of")}{" "}
                    <Link to="/services/$name" params={{ name: a.service }}>
                      {a.service}
                    </Link>
                  </span>
                  <div className="sentence">
                    {t("alert.whenFired")} {say(a.reason)}
                  </div>
                </td>
                <td className="num narrow-hide">
                  {f.burnRate(a.shortNow ?? a.shortBurn)}
                  <div className="sub">{t("alert.inWindow", { window: f.window(a.short) })}</div>
                </td>
                <td className="num">
                  <Ago at={a.since} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Section>
  );
}

function Soonest({ slos: list }: { slos: SLO[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <TableBox label={t("now.soonest")}>
      <table className="t mid">
        <thead>
          <tr>
            <th scope="col">{t("slo.slo")}</th>
            <th scope="col">{t("slo.status")}</th>
            <th scope="col" className="num">
              {t("slo.budgetLeft")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("slo.burn1h")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("slo.exhausts")}
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((s) => (
            <tr key={s.name}>
              <td>
                <Link to="/slos/$name" params={{ name: s.name }}>
                  {s.title || s.name}
                </Link>
                <div className="sub">{[s.service, s.owner].filter(Boolean).join(" · ")}</div>
              </td>
              <td>
                <Status status={s.status} />
              </td>
              <td className="num">
                <Budget left={budgetOf(s)} status={s.status} low={s.budgetLow} high={s.budgetHigh} />
              </td>
              <td className="num narrow-hide">{f.burnRate(s.burnRates?.["1h"])}</td>
              <td className="num narrow-hide">
                <Exhausts slo={s} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Delivered() {
  const { t } = useTranslation();
  const query = useQuery(deliveries({ limit: 15 }));
  return (
    <Section
      title={t("now.delivered")}
      more={
        <Link to="/settings/$section" params={{ section: "channels" }}>
          {t("now.deliveryLog")}
        </Link>
      }
    >
      <Loaded query={query}>
        {(data) =>
          data.items?.length ? (
            <ul className="loglist">
              {byMessage(data.items).map((group) => (
                <MessageLine key={group[0].id} deliveries={group} />
              ))}
            </ul>
          ) : (
            <Empty title={t("now.noDeliveries")}>{t("now.noDeliveriesWhat")}</Empty>
          )
        }
      </Loaded>
    </Section>
  );
}

/** One message and where it went: what one entry sent to several channels is one line. */
function MessageLine({ deliveries: all }: { deliveries: Delivery[] }) {
  const { t } = useTranslation();
  const say = useSay();
  const [first] = all;
  const error = all.find((d) => d.state !== "delivered" && d.lastError)?.lastError;
  return (
    <li>
      <At at={first.endedAt ?? first.createdAt} short />
      <div className="anywhere">
        <div>{say(first.title)}</div>
        <div className="row" style={{ gap: "0 1rem" }}>
          {all.map((d) => (
            <span key={d.id}>
              <DeliveryState delivery={d} /> {d.channel && <span className="dim">{t("delivery.to", { channel: d.channel })}</span>}
            </span>
          ))}
        </div>
        {error && <div className="dim">{say(error)}</div>}
      </div>
    </li>
  );
}

function Changed() {
  const { t } = useTranslation();
  const query = useQuery(journal({ kind: changes, limit: 8 }));
  return (
    <Section title={t("now.changed")} more={<Link to="/activity">{t("now.allActivity")}</Link>}>
      <Loaded query={query}>
        {(data) => (data.items?.length ? <EntryList entries={data.items} /> : <Empty title={t("now.noChanges")}>{t("now.noChangesWhat")}</Empty>)}
      </Loaded>
    </Section>
  );
}

/** One line when every data source answers; SourceTroubles speaks otherwise. */
function SourcesLine() {
  const { t } = useTranslation();
  const query = useQuery(sources());
  const list = query.data?.items ?? [];
  if (list.length === 0 || list.some((s) => s.status !== "ok")) return null;
  return (
    <p className="dim small">
      {t("now.sourcesOK", { count: list.length })}{" "}
      <Link to="/settings/$section" params={{ section: "sources" }}>
        {t("settings.sources")}
      </Link>
    </p>
  );
}
