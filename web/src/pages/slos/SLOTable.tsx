import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { sloPage } from "../../api/queries";
import type { SLO } from "../../api/types";
import type { SLOFilter, SLOSort } from "../../app/urlState";
import { useFormat } from "../../format";
import { SortHead } from "../../parts/SortHead";
import { Budget, Status, toneOf } from "../../parts/Status";
import { budgetOf, Exhausts, labelsText, queryOf, sliOf } from "./parts";

/** How many rows one request brings. */
export const pageSize = 100;
const rowHeight = 49;
export const columns = 7;

interface Sorting {
  sort?: SLOSort;
  /** Absent where the order is given. */
  onSort?: (sort: SLOSort | undefined) => void;
}

/** The table's frame; every way to show the list has the same columns. */
export function ListTable({ sort, onSort, count, children }: Sorting & { count: number; children: ReactNode }) {
  const { t } = useTranslation();
  const head = (orders: { value: SLOSort; down?: boolean }[], label: string, options: { num?: boolean; narrow?: boolean } = {}) => (
    <SortHead orders={orders} sort={sort} onSort={onSort} num={options.num} className={options.narrow ? "narrow-hide" : undefined}>
      {label}
    </SortHead>
  );
  return (
    <div className="tablebox" role="group" aria-label={t("nav.slos")} tabIndex={0}>
      <table className="t mid" aria-rowcount={count + 1}>
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
        {children}
      </table>
    </div>
  );
}

/**
 * All SLOs that match, however many: only the rows near the screen are in the
 * page, and only the parts of the list that hold them are asked of the server.
 */
export function SLOTable({ filter, total, sort, onSort }: Sorting & { filter: SLOFilter; total: number }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [margin, setMargin] = useState(0);
  useEffect(() => setMargin((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtual = useWindowVirtualizer({ count: total, estimateSize: () => rowHeight, overscan: 12, scrollMargin: margin });
  const shown = virtual.getVirtualItems();
  const first = Math.floor((shown[0]?.index ?? 0) / pageSize);
  const last = Math.floor((shown.at(-1)?.index ?? 0) / pageSize);
  const pages = useQueries({
    queries: Array.from({ length: last - first + 1 }, (_, i) => sloPage({ ...queryOf(filter), sort, limit: pageSize, offset: (first + i) * pageSize })),
  });
  const at = (index: number): SLO | undefined => pages[Math.floor(index / pageSize) - first]?.data?.items?.[index % pageSize];
  const before = (shown[0]?.start ?? margin) - margin;
  const after = virtual.getTotalSize() - ((shown.at(-1)?.end ?? margin) - margin);
  return (
    <ListTable sort={sort} onSort={onSort} count={total}>
      <tbody ref={body}>
        <Spacer height={before} />
        {shown.map((item) => {
          const slo = at(item.index);
          return slo ? <SLORow key={item.key} slo={slo} index={item.index} measure={virtual.measureElement} /> : <Awaited key={item.key} index={item.index} />;
        })}
        <Spacer height={after} />
      </tbody>
    </ListTable>
  );
}

function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td colSpan={columns} style={{ height, padding: 0 }} />
    </tr>
  );
}

/** A row that is on its way. */
function Awaited({ index }: { index: number }) {
  const { t } = useTranslation();
  return (
    <tr aria-rowindex={index + 2} aria-busy>
      <td colSpan={columns} style={{ height: rowHeight, padding: "0 0.75rem" }}>
        <span className="dim">{t("loading")}</span>
      </td>
    </tr>
  );
}

export function SLORow({ slo, index, measure, within }: { slo: SLO; index?: number; measure?: (el: Element | null) => void; within?: boolean }) {
  const { t } = useTranslation();
  const f = useFormat();
  const tone = toneOf(slo.status);
  return (
    <tr ref={measure} data-index={index} data-within={within} aria-rowindex={index === undefined ? undefined : index + 2} data-tone={tone === "bad" || tone === "warn" ? tone : undefined}>
      <td>
        <Link to="/slos/$name" params={{ name: slo.name }} className="tall">
          {slo.of ? labelsText(slo.labels, t("group.without")) : slo.title || slo.name}
        </Link>
        <div className="sub">
          <Link to="/services/$name" params={{ name: slo.service }} className="plain">
            {slo.service}
          </Link>
          {slo.owner && " · " + slo.owner}
          {slo.instances && (
            <>
              {" · "}
              <Link to="/slos" search={{ of: slo.name }} className="plain">
                {t("instances.rows", { count: slo.instances.count, number: f.number(slo.instances.count) })}
              </Link>
            </>
          )}
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
        <Budget left={budgetOf(slo)} status={slo.status} low={slo.budgetLow} high={slo.budgetHigh} />
      </td>
      <td className="num narrow-hide">{f.burnRate(slo.burnRates?.["1h"])}</td>
      <td className="num narrow-hide">
        <Exhausts slo={slo} />
      </td>
    </tr>
  );
}
