import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { probeLocations, probes, teams } from "../../api/queries";
import type { Probe } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { ProbesSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Choice, Filters, SearchField } from "../../parts/Filters";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";
import { Day, ProbeState, probeStates, probeTone } from "./parts";

/** What is looked at from outside, and from where. */
export function ProbesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/probes" });
  const navigate = useNavigate({ from: "/probes" });
  const query = useQuery(probes({ ...search, limit: 500 }));
  const owners = useQuery(teams());
  usePageTitle(t("nav.probes"));
  const filtered = Object.keys(search).length > 0;
  const set = (change: Partial<ProbesSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <h1>{t("nav.probes")}</h1>
        <p className="dim small">{t("probe.lead")}</p>
      </div>
      <Filters active={filtered}>
        <SearchField label={t("slos.search")} hint={t("probe.searchHint")} value={search.q} onChange={(q) => set({ q })} />
        <Choice label={t("slo.status")} value={search.state} any={t("filter.any")} options={probeStates.map((s) => [s, t(`probeState.${s}`)])} onChange={(state) => set({ state: state as ProbesSearch["state"] })} />
        <Choice label={t("slo.owner")} value={search.owner} any={t("filter.any")} options={(owners.data?.items ?? []).map((o) => [o.name, o.title || o.name])} onChange={(owner) => set({ owner })} />
        {filtered && (
          <button className="smallbtn" onClick={() => void navigate({ search: {}, replace: true })}>
            {t("filter.clear")}
          </button>
        )}
      </Filters>
      <Loaded query={query} lines={6}>
        {(data) =>
          data.items?.length ? (
            <ProbeTable items={data.items} />
          ) : (
            <Empty title={filtered ? t("probe.noMatch") : t("probe.none")}>
              {filtered ? (
                t("slos.noMatchWhat")
              ) : (
                <>
                  <p>{t("probe.noneWhat")}</p>
                  <code>teiten apply probes.yaml</code>
                </>
              )}
            </Empty>
          )
        }
      </Loaded>
      <Locations />
    </div>
  );
}

function ProbeTable({ items }: { items: Probe[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <TableBox label={t("nav.probes")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("probe.probe")}</th>
            <th scope="col">{t("slo.status")}</th>
            <th scope="col" className="narrow-hide">
              {t("probe.target")}
            </th>
            <th scope="col" className="narrow-hide">
              {t("probe.locations")}
            </th>
            <th scope="col" className="num">
              {t("probe.day")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("probe.every")}
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((p) => (
            <tr key={p.name} data-tone={probeTone(p.state) === "bad" ? "bad" : probeTone(p.state) === "warn" ? "warn" : undefined}>
              <td>
                <Link to="/probes/$name" params={{ name: p.name }}>
                  {p.title || p.name}
                </Link>
                <div className="sub">
                  {p.service}
                  {p.owner && " · " + p.owner}
                </div>
              </td>
              <td>
                <ProbeState state={p.state} />
                {p.state !== "up" && p.reason && <div className="sub sentence">{say(p.reason)}</div>}
              </td>
              <td className="narrow-hide anywhere">
                <span className="tag">{p.type}</span> {p.target}
              </td>
              <td className="narrow-hide">
                {(p.locations ?? []).map((l) => (
                  <div key={l.location} className="row" style={{ gap: "0.375rem" }}>
                    <ProbeState state={l.state} /> <span>{l.location}</span> {l.lastAt && <span className="dim tab">{f.duration(l.lastMs)}</span>}
                  </div>
                ))}
              </td>
              <td className="num">
                <Day day={p.day} />
              </td>
              <td className="num narrow-hide">{f.duration(p.intervalSeconds * 1000)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** Where checks are made from, and whether each place still reports. */
function Locations() {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const query = useQuery(probeLocations());
  if (!query.data?.items?.length) return null;
  return (
    <Section title={t("probe.locations")} note={t("probe.locationsNote")}>
      <TableBox label={t("probe.locations")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("probe.location")}</th>
              <th scope="col">{t("slo.status")}</th>
              <th scope="col">{t("probe.seen")}</th>
              <th scope="col" className="num">
                {t("nav.probes")}
              </th>
            </tr>
          </thead>
          <tbody>
            {query.data.items.map((l) => (
              <tr key={l.name} data-tone={l.state === "silent" ? "warn" : undefined}>
                <td>{l.name}</td>
                <td>
                  {t(`placeState.${l.state}`)}
                  {l.reason && <div className="sub sentence">{say(l.reason)}</div>}
                </td>
                <td>{l.lastSeen ? <Ago at={l.lastSeen} /> : <span className="dim">{t("never")}</span>}</td>
                <td className="num">{f.number(l.probes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Section>
  );
}
