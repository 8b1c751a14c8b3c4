import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { servicePages, sloCounts, teams } from "../../api/queries";
import type { Service, SLOCount } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { ServiceSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { Choice, Filters, SearchField } from "../../parts/Filters";
import { Empty, Failed, Loading } from "../../parts/Notice";
import { TableBox } from "../../parts/Section";
import { Budget, Status } from "../../parts/Status";

const tiers = ["1", "2", "3", "4"];

/** Who owns what, and how its worst promise stands. */
export function ServicesPage() {
  const { t } = useTranslation();
  const f = useFormat();
  const search = useSearch({ from: "/services" });
  const navigate = useNavigate({ from: "/services" });
  const query = useInfiniteQuery(servicePages({ ...search, limit: 200 }));
  const owners = useQuery(teams());
  const counts = useQuery(sloCounts("service"));
  usePageTitle(t("nav.services"));

  const rows = useMemo(() => query.data?.pages.flatMap((p) => p.items ?? []) ?? [], [query.data]);
  const byService = useMemo(() => new Map((counts.data?.items ?? []).map((c) => [c.key, c])), [counts.data]);
  const systems = useMemo(() => [...new Set(rows.flatMap((r) => (r.system ? [r.system] : [])))].sort(), [rows]);
  const set = (change: Partial<ServiceSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const filtered = !!(search.q || search.owner || search.tier || search.system);

  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <h1>{t("nav.services")}</h1>
        <p className="dim small" role="status">
          {query.data ? t("services.count", { count: query.data.pages[0]?.total ?? rows.length, number: f.number(query.data.pages[0]?.total ?? rows.length) }) : " "}
        </p>
      </div>
      <Filters active={filtered}>
        <SearchField label={t("services.search")} hint={t("services.searchHint")} value={search.q} onChange={(q) => set({ q })} />
        <Choice label={t("slo.owner")} value={search.owner} any={t("filter.any")} options={(owners.data?.items ?? []).map((o) => [o.name, o.title || o.name])} onChange={(owner) => set({ owner })} />
        <Choice label={t("slo.tier")} value={search.tier} any={t("filter.any")} options={tiers.map((n) => [n, t("slo.tierN", { n })])} onChange={(tier) => set({ tier })} />
        <Choice label={t("services.system")} value={search.system} any={t("filter.any")} options={systems.map((s) => [s, s])} onChange={(system) => set({ system })} />
        {filtered && (
          <button className="smallbtn" onClick={() => void navigate({ search: {}, replace: true })}>
            {t("filter.clear")}
          </button>
        )}
      </Filters>
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={8} />}
      {query.data && rows.length === 0 && (
        <Empty title={filtered ? t("services.noMatch") : t("services.none")}>
          {filtered ? (
            t("slos.noMatchWhat")
          ) : (
            <>
              <p>{t("services.noneWhat")}</p>
              <code>teiten apply catalog/</code>
            </>
          )}
        </Empty>
      )}
      {rows.length > 0 && <ServiceTable rows={rows} byService={byService} />}
      {query.hasNextPage && (
        <div>
          <button className="smallbtn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("more")}
          </button>
        </div>
      )}
    </div>
  );
}

function ServiceTable({ rows, byService }: { rows: Service[]; byService: Map<string, SLOCount> }) {
  const { t } = useTranslation();
  return (
    <TableBox label={t("nav.services")}>
      <table className="t mid">
        <thead>
          <tr>
            <th scope="col">{t("slo.service")}</th>
            <th scope="col">{t("slo.owner")}</th>
            <th scope="col" className="narrow-hide">
              {t("slo.tier")}
            </th>
            <th scope="col" className="narrow-hide">
              {t("services.system")}
            </th>
            <th scope="col">{t("services.worst")}</th>
            <th scope="col" className="num narrow-hide">
              {t("slo.budgetLeft")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("nav.slos")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((s) => (
            <ServiceRow key={s.ref} service={s} count={byService.get(s.short)} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function ServiceRow({ service: s, count }: { service: Service; count?: SLOCount }) {
  const { t } = useTranslation();
  const f = useFormat();
  const worst = count?.worst;
  return (
    <tr data-tone={worst?.status === "burning" ? "bad" : undefined}>
      <td>
        <Link to="/services/$name" params={{ name: s.short }}>
          {s.title || s.short}
        </Link>
        {s.title && s.title !== s.short && <div className="sub">{s.short}</div>}
      </td>
      <td>
        {s.owner ? (
          <Link to="/services" search={{ owner: s.owner }} className="plain">
            {s.owner}
          </Link>
        ) : (
          <span className="status" data-tone="warn">
            {t("services.noOwner")}
          </span>
        )}
      </td>
      <td className="narrow-hide">{s.tier || <span className="dim">–</span>}</td>
      <td className="narrow-hide">{s.system || <span className="dim">–</span>}</td>
      <td>
        {worst ? (
          <>
            <Status status={worst.status} />
            {worst.status !== "healthy" && (
              <div className="sub">
                <Link to="/slos/$name" params={{ name: worst.name }} className="plain">
                  {worst.name}
                </Link>
              </div>
            )}
          </>
        ) : (
          <span className="dim">{t("services.noSLOs")}</span>
        )}
      </td>
      <td className="num narrow-hide">{worst ? <Budget left={worst.budgetLeft} status={worst.status} /> : <span className="dim">–</span>}</td>
      <td className="num narrow-hide">
        {count ? (
          <Link to="/slos" search={{ service: s.short }}>
            {f.number(count.total)}
          </Link>
        ) : (
          "0"
        )}
      </td>
    </tr>
  );
}
