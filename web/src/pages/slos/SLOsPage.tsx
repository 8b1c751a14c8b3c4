import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { sloCounts, sloPages, teams } from "../../api/queries";
import type { SLO } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { statuses, type SLOSearch, type SLOSort } from "../../app/urlState";
import { useFormat } from "../../format";
import { Choice, Filters, SearchField } from "../../parts/Filters";
import { Empty, Failed, Loading } from "../../parts/Notice";
import { SortHead } from "../../parts/SortHead";
import { Budget, Status, toneOf } from "../../parts/Status";
import { budgetOf, Exhausts, sliOf } from "./parts";

const tiers = ["1", "2", "3", "4"];
/** The server's largest page: a thousand rows come in two requests. */
const pageSize = 500;
const rowHeight = 49;

/** Every SLO as one table; filters and order are asked of the server and stand in the address. */
export function SLOsPage() {
  const { t } = useTranslation();
  const f = useFormat();
  const search = useSearch({ from: "/slos" });
  const navigate = useNavigate({ from: "/slos" });
  const query = useInfiniteQuery(sloPages({ ...search, status: search.status && [search.status], limit: pageSize }));
  const owners = useQuery(teams());
  const counts = useQuery(sloCounts("status"));
  usePageTitle(t("nav.slos"));

  const rows = useMemo(() => query.data?.pages.flatMap((p) => p.items ?? []) ?? [], [query.data]);
  const total = query.data?.pages[0]?.total ?? undefined;
  const all = (counts.data?.items ?? []).reduce((sum, c) => sum + c.total, 0);
  const set = (change: Partial<SLOSearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const filtered = !!(search.q || search.service || search.owner || search.tier || search.status);
  const sortBy = (sort: SLOSort | undefined) => set({ sort });

  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <h1>{t("nav.slos")}</h1>
        <p className="dim small" role="status">
          {query.data ? (total !== undefined ? t("slos.shown", { shown: f.number(total), all: f.number(Math.max(all, total)) }) : t("slos.rows", { count: rows.length })) : " "}
        </p>
      </div>
      <Filters active={filtered}>
        <SearchField label={t("slos.search")} hint={t("slos.searchHint")} value={search.q} onChange={(q) => set({ q })} />
        <Choice label={t("slo.status")} value={search.status} any={t("filter.any")} options={statuses.map((s) => [s, t(`status.${s}`)])} onChange={(status) => set({ status: status as SLOSearch["status"] })} />
        <Choice label={t("slo.owner")} value={search.owner} any={t("filter.any")} options={(owners.data?.items ?? []).map((o) => [o.name, o.title || o.name])} onChange={(owner) => set({ owner })} />
        <Choice label={t("slo.tier")} value={search.tier} any={t("filter.any")} options={tiers.map((n) => [n, t("slo.tierN", { n })])} onChange={(tier) => set({ tier })} />
        {search.service && (
          <button className="smallbtn" onClick={() => set({ service: undefined })}>
            {t("slo.service")}: {search.service} ✕
          </button>
        )}
        {filtered && (
          <button className="smallbtn" onClick={() => void navigate({ search: { sort: search.sort }, replace: true })}>
            {t("filter.clear")}
          </button>
        )}
      </Filters>
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={8} />}
      {query.data && rows.length === 0 && (
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
      {rows.length > 0 && (
        <SLOTable rows={rows} total={total} sort={search.sort} onSort={sortBy} more={query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : undefined} />
      )}
    </div>
  );
}

interface TableProps {
  rows: SLO[];
  total?: number;
  sort?: SLOSort;
  onSort: (sort: SLOSort | undefined) => void;
  more?: () => void;
}

/** Only the rows near the screen are in the page; the others are two spacers. */
function SLOTable({ rows, total, sort, onSort, more }: TableProps) {
  const { t } = useTranslation();
  const body = useRef<HTMLTableSectionElement>(null);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: body.current?.offsetTop ?? 0,
    getItemKey: (i) => rows[i].name,
  });
  const shown = virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 30) more();
  }, [more, last, rows.length]);
  const before = (shown[0]?.start ?? 0) - virtual.options.scrollMargin;
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? 0) - virtual.options.scrollMargin);

  const head = (orders: { value: SLOSort; down?: boolean }[], label: string, options: { num?: boolean; narrow?: boolean } = {}) => (
    <SortHead orders={orders} sort={sort} onSort={onSort} num={options.num} className={options.narrow ? "narrow-hide" : undefined}>
      {label}
    </SortHead>
  );
  return (
    <div className="tablebox" role="group" aria-label={t("nav.slos")} tabIndex={0}>
      <table className="t mid" aria-rowcount={(total ?? rows.length) + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {head([{ value: "name" }, { value: "service" }], t("slo.slo"))}
            {head([{ value: "status", down: true }], t("slo.status"))}
            {head([{ value: "objective", down: true }], t("slo.objective"), { num: true, narrow: true })}
            {head([{ value: "sli" }], t("slo.sli"), { num: true, narrow: true })}
            {head([{ value: "budget" }, { value: "-budget", down: true }], t("slo.budgetLeft"), { num: true })}
            {head([{ value: "burn", down: true }], t("slo.burn1h"), { num: true, narrow: true })}
            <th scope="col" className="num narrow-hide">
              {t("slo.exhausts")}
            </th>
          </tr>
        </thead>
        <tbody ref={body}>
          {before > 0 && (
            <tr aria-hidden>
              <td colSpan={7} style={{ height: before, padding: 0 }} />
            </tr>
          )}
          {shown.map((item) => (
            <Row key={item.key} slo={rows[item.index]} index={item.index} measure={virtual.measureElement} />
          ))}
          {after > 0 && (
            <tr aria-hidden>
              <td colSpan={7} style={{ height: after, padding: 0 }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

function Row({ slo, index, measure }: { slo: SLO; index: number; measure: (el: Element | null) => void }) {
  const f = useFormat();
  const tone = toneOf(slo.status);
  return (
    <tr ref={measure} data-index={index} aria-rowindex={index + 2} data-tone={tone === "bad" || tone === "warn" ? tone : undefined}>
      <td>
        <Link to="/slos/$name" params={{ name: slo.name }}>
          {slo.title || slo.name}
        </Link>
        <div className="sub">
          <Link to="/services/$name" params={{ name: slo.service }} className="plain">
            {slo.service}
          </Link>
          {slo.owner && " · " + slo.owner}
        </div>
      </td>
      <td>
        <Status status={slo.status} />
      </td>
      <td className="num narrow-hide">
        {f.objective(slo.objective)}
        <div className="sub">{f.window(slo.window.duration)}</div>
      </td>
      <td className="num narrow-hide">{f.sli(sliOf(slo), slo.objective)}</td>
      <td className="num">
        <Budget left={budgetOf(slo)} status={slo.status} />
      </td>
      <td className="num narrow-hide">{f.burnRate(slo.burnRates?.["1h"])}</td>
      <td className="num narrow-hide">
        <Exhausts slo={slo} />
      </td>
    </tr>
  );
}
