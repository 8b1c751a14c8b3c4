import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { me, sloCounts, sloPage, teams } from "../../api/queries";
import { usePageTitle } from "../../app/title";
import { sloGroups, statuses, type SLOFilter, type SLOGroup, type SLOSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { Choice, Filters, SearchField } from "../../parts/Filters";
import { Empty, Failed, Loading } from "../../parts/Notice";
import { HeatMap } from "./HeatMap";
import { queryOf } from "./parts";
import { SLOGroups } from "./SLOGroups";
import { pageSize, SLOTable } from "./SLOTable";
import { Views } from "./Views";

/** A link is to where one is only if the whole address is the same. */
const here = { exact: true, includeSearch: true };

const tiers = ["1", "2", "3", "4"];

/** Every SLO, as a list, in groups or as a map; filters, order and form are asked of the server and stand in the address. */
export function SLOsPage() {
  const { t } = useTranslation();
  const f = useFormat();
  const search = useSearch({ from: "/slos" });
  const navigate = useNavigate({ from: "/slos" });
  const { sort, group, as, ...filter } = search;
  const query = useQuery(sloPage({ ...queryOf(filter), sort, limit: pageSize, offset: 0 }));
  const counts = useQuery(sloCounts("status"));
  const who = useQuery(me());
  const mayWrite = !!who.data?.scopes?.includes("ascode:write");
  usePageTitle(t("nav.slos"));

  const total = query.data?.total ?? 0;
  const all = (counts.data?.items ?? []).reduce((sum, c) => sum + c.total, 0);
  const filtered = Object.keys(filter).length > 0;
  const set = (change: Partial<SLOSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });

  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <div className="row between">
          <h1>{t("nav.slos")}</h1>
          <span className="row">
            {mayWrite && (
              <Link className="smallbtn" to="/edit" search={{ kind: "SLO", service: filter.service }}>
                {t("slos.new")}
              </Link>
            )}
            <span className="chips" role="group" aria-label={t("slos.as")}>
              <Link to="/slos" search={{ ...search, as: undefined }} activeOptions={here} replace>
                {t("slos.asList")}
              </Link>
              <Link to="/slos" search={{ ...search, as: "map" }} activeOptions={here} replace>
                {t("slos.asMap")}
              </Link>
            </span>
          </span>
        </div>
        <p className="dim small" role="status">
          {query.data ? t("slos.shown", { shown: f.number(total), all: f.number(Math.max(all, total)) }) : " "}
        </p>
      </div>
      <Choices filter={filter} group={group} filtered={filtered} set={set} clear={() => void navigate({ search: { sort, group, as }, replace: true })} />
      <Views search={search} />
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={8} />}
      {query.data && total === 0 && (
        <Empty title={filtered ? t("slos.noMatch") : t("now.noSLOs")}>
          {filtered ? (
            t("slos.noMatchWhat")
          ) : (
            <>
              <p>{t("now.start")}</p>
              <code>teiten apply slos/</code>
            </>
          )}
        </Empty>
      )}
      {total > 0 &&
        (as === "map" ? (
          <HeatMap search={search} filter={filter} />
        ) : group ? (
          <SLOGroups key={group} search={search} filter={filter} by={group} onSort={(sort) => set({ sort })} />
        ) : (
          <SLOTable filter={filter} total={total} sort={sort} onSort={(sort) => set({ sort })} />
        ))}
    </div>
  );
}

interface ChoicesProps {
  filter: SLOFilter;
  group?: SLOGroup;
  filtered: boolean;
  set: (change: Partial<SLOSearch>) => void;
  clear: () => void;
}

function Choices({ filter, group, filtered, set, clear }: ChoicesProps) {
  const { t } = useTranslation();
  const owners = useQuery(teams());
  const systems = useQuery(sloCounts("system"));
  const systemKeys = (systems.data?.items ?? []).flatMap((c) => (c.key ? [c.key] : [])).sort();
  const any = t("filter.any");
  return (
    <Filters active={filtered}>
      <SearchField label={t("slos.search")} hint={t("slos.searchHint")} value={filter.q} onChange={(q) => set({ q })} />
      <Choice label={t("slo.status")} value={filter.status} any={any} options={statuses.map((s) => [s, t(`status.${s}`)])} onChange={(status) => set({ status: status as SLOFilter["status"] })} />
      <Choice label={t("slo.owner")} value={filter.owner} any={any} options={(owners.data?.items ?? []).map((o) => [o.name, o.title || o.name])} onChange={(owner) => set({ owner })} />
      {systemKeys.length > 0 && <Choice label={t("services.system")} value={filter.system} any={any} options={systemKeys.map((s) => [s, s])} onChange={(system) => set({ system })} />}
      <Choice label={t("slo.tier")} value={filter.tier} any={any} options={tiers.map((n) => [n, t("slo.tierN", { n })])} onChange={(tier) => set({ tier })} />
      <Choice label={t("slos.groupBy")} value={group} any={t("group.none")} options={sloGroups.map((g) => [g, t(`group.${g}`)])} onChange={(g) => set({ group: g as SLOGroup | undefined })} />
      {filter.of && (
        <button className="smallbtn" onClick={() => set({ of: undefined })}>
          {t("instances.of")}: {filter.of} ✕
        </button>
      )}
      {filter.service && (
        <button className="smallbtn" onClick={() => set({ service: undefined })}>
          {t("slo.service")}: {filter.service} ✕
        </button>
      )}
      {filtered && (
        <button className="smallbtn" onClick={clear}>
          {t("filter.clear")}
        </button>
      )}
    </Filters>
  );
}
