import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { sloBudgets } from "../../api/queries";
import type { Budgets } from "../../api/types";
import type { SLOFilter, SLOGroup, SLOSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { Loaded } from "../../parts/Notice";
import { TableBox } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { binOf, bins, cellSize, gatherHeat, moveIn, type Bin, type HeatGroup } from "./heat";
import { inGroup, queryOf, useGroupName } from "./parts";

const gap = 2;

/** One cell for each SLO, coloured by what is left of its budget. */
export function HeatMap({ search, filter }: { search: SLOSearch; filter: SLOFilter }) {
  const query = useQuery(sloBudgets({ ...queryOf(filter), by: search.group ?? "owner" }));
  return (
    <Loaded query={query} lines={8}>
      {(budgets) => <Map budgets={budgets} search={search} filter={filter} />}
    </Loaded>
  );
}

function Map({ budgets, search, filter }: { budgets: Budgets; search: SLOSearch; filter: SLOFilter }) {
  const { t } = useTranslation();
  const f = useFormat();
  const navigate = useNavigate();
  const groupName = useGroupName(search.group ?? "owner");
  const [tabled, setTabled] = useState(false);
  const [at, setAt] = useState<{ group: number; cell: number }>();
  const box = useElementSize<HTMLDivElement>();
  const groups = useMemo(() => gatherHeat(budgets, true), [budgets]);
  const count = budgets.names?.length ?? 0;
  const size = cellSize(count);
  const columns = Math.max(1, Math.floor((box.width + gap) / (size + gap)));

  const chosen = at && groups[at.group]?.cells[at.cell] !== undefined ? at : undefined;
  const index = chosen && groups[chosen.group].cells[chosen.cell];
  const wordsOf = (i: number, group: number) => [budgets.titles?.[i] || budgets.names?.[i], groupName(groups[group].key), t("heat.left", { left: f.budget(budgets.left?.[i]) }), t(`status.${budgets.status?.[i] ?? "unknown"}`)].join(", ");
  const open = (i: number | undefined) => i !== undefined && void navigate({ to: "/slos/$name", params: { name: budgets.names?.[i] ?? "" } });

  const onKey = (e: React.KeyboardEvent) => {
    const now = chosen ?? { group: 0, cell: -1 };
    const cells = groups[now.group].cells.length;
    const before = groups[now.group - 1]?.cells.length;
    let next: typeof at;
    const moved = moveIn(e.key, now.cell, cells, columns);
    if (moved !== undefined) next = { group: now.group, cell: moved };
    else if (e.key === "ArrowLeft" || e.key === "ArrowUp") next = before ? { group: now.group - 1, cell: before - 1 } : now;
    else if (e.key === "ArrowRight" || e.key === "ArrowDown") next = groups[now.group + 1] ? { group: now.group + 1, cell: 0 } : now;
    else if (e.key === "PageDown") next = { group: Math.min(groups.length - 1, now.group + 1), cell: 0 };
    else if (e.key === "PageUp") next = { group: Math.max(0, now.group - 1), cell: 0 };
    else if (e.key === "Home") next = { group: 0, cell: 0 };
    else if (e.key === "End") next = { group: groups.length - 1, cell: groups[groups.length - 1].cells.length - 1 };
    else if (e.key === "Enter") return open(index);
    else return;
    e.preventDefault();
    setAt(next.cell < 0 ? { ...next, cell: 0 } : next);
  };

  if (groups.length === 0) return null;
  return (
    <section className="heat" aria-label={t("heat.title")}>
      <div className="heathead">
        <Legend groups={groups} />
        <button className="linkbtn" aria-expanded={tabled} onClick={() => setTabled(!tabled)}>
          {tabled ? t("chart.hideTable") : t("chart.showTable")}
        </button>
        <p className="readout" aria-hidden={index === undefined}>
          {index === undefined ? (
            <span className="dim">{t("heat.how")}</span>
          ) : (
            <>
              <Link to="/slos/$name" params={{ name: budgets.names?.[index] ?? "" }}>
                {budgets.titles?.[index] || budgets.names?.[index]}
              </Link>{" "}
              <Status status={budgets.status?.[index] ?? "unknown"} /> <b className="tab">{f.budget(budgets.left?.[index])}</b> <span className="dim">{groupName(groups[chosen?.group ?? 0].key)}</span>
            </>
          )}
        </p>
      </div>
      {tabled && <HeatTable groups={groups} groupName={groupName} search={search} filter={filter} />}
      <div
        ref={box.ref}
        className="heatbody"
        tabIndex={0}
        role="slider"
        aria-label={t("heat.slider")}
        aria-valuemin={0}
        aria-valuemax={count}
        aria-valuenow={chosen ? groups.slice(0, chosen.group).reduce((sum, g) => sum + g.cells.length, chosen.cell + 1) : 0}
        aria-valuetext={index === undefined ? t("slos.rows", { count, number: f.number(count) }) : wordsOf(index, chosen?.group ?? 0)}
        onKeyDown={onKey}
      >
        {groups.map((group, g) => (
          <div key={group.key} className="heatgroup" aria-hidden>
            <h3>
              {groupName(group.key)} <span className="dim small">{f.number(group.cells.length)}</span>
              {group.counts.burning > 0 && <span className="small badtext"> {t("slos.inState", { state: t("heat.burning"), number: f.number(group.counts.burning) })}</span>}
            </h3>
            <Cells
              budgets={budgets}
              group={group}
              size={size}
              columns={columns}
              chosen={chosen?.group === g ? chosen.cell : undefined}
              onPoint={(cell) => setAt({ group: g, cell })}
              onOpen={(cell) => open(group.cells[cell])}
            />
          </div>
        ))}
      </div>
    </section>
  );
}

interface CellsProps {
  budgets: Budgets;
  group: HeatGroup;
  size: number;
  columns: number;
  chosen?: number;
  onPoint: (cell: number) => void;
  onOpen: (cell: number) => void;
}

/** A group's cells, drawn: thousands of elements would make the page slow. */
function Cells({ budgets, group, size, columns, chosen, onPoint, onOpen }: CellsProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const mark = useRef<HTMLSpanElement>(null);
  const scheme = useComputedColorScheme("light");
  const pitch = size + gap;
  const rows = Math.ceil(group.cells.length / columns);
  const width = Math.min(columns, group.cells.length) * pitch - gap;

  useEffect(() => {
    const el = canvas.current;
    const ctx = el?.getContext("2d");
    if (!el || !ctx) return;
    const px = devicePixelRatio || 1;
    el.width = width * px;
    el.height = (rows * pitch - gap) * px;
    ctx.scale(px, px);
    const looks = looksOf(getComputedStyle(document.documentElement));
    group.cells.forEach((i, n) => drawCell(ctx, looks, binOf(budgets.status?.[i] ?? "unknown", budgets.left?.[i]), (n % columns) * pitch, Math.floor(n / columns) * pitch, size));
  }, [budgets, group, size, columns, width, rows, pitch, scheme]);

  useEffect(() => {
    if (chosen !== undefined && document.activeElement?.classList.contains("heatbody")) mark.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const cellAt = (e: React.MouseEvent) => {
    const box = e.currentTarget.getBoundingClientRect();
    const column = Math.floor((e.clientX - box.left) / pitch);
    const cell = Math.floor((e.clientY - box.top) / pitch) * columns + column;
    return column < columns && cell >= 0 && cell < group.cells.length ? cell : undefined;
  };
  const point = (e: React.MouseEvent) => {
    const cell = cellAt(e);
    if (cell !== undefined && cell !== chosen) onPoint(cell);
    return cell;
  };
  return (
    <div className="cells">
      <canvas
        ref={canvas}
        style={{ width, height: rows * pitch - gap }}
        onMouseMove={point}
        onClick={(e) => {
          const cell = point(e);
          // A finger points first; what it points at opens by the line above.
          if (cell !== undefined && (e.nativeEvent as PointerEvent).pointerType !== "touch") onOpen(cell);
        }}
      />
      {chosen !== undefined && <span ref={mark} className="cellmark" style={{ left: (chosen % columns) * pitch, top: Math.floor(chosen / columns) * pitch, width: size, height: size }} />}
    </div>
  );
}

type Looks = Record<Bin, string> & { surface: string; line: string };

function looksOf(style: CSSStyleDeclaration): Looks {
  const of = (name: string) => style.getPropertyValue("--" + name).trim();
  const mix = (name: string, share: number) => `color-mix(in srgb, ${of(name)} ${share}%, ${of("surface")})`;
  return { burning: of("bad"), over: of("warn"), low: mix("warn", 50), half: mix("accent", 30), most: mix("accent", 55), full: mix("accent", 85), unknown: of("surface"), surface: of("surface"), line: of("line-strong") };
}

/** What burns has a corner cut off, what is spent a bar, and what is unknown is hollow: not by colour alone. */
function drawCell(ctx: CanvasRenderingContext2D, looks: Looks, bin: Bin, x: number, y: number, size: number) {
  ctx.fillStyle = looks[bin];
  ctx.fillRect(x, y, size, size);
  if (bin === "unknown") {
    ctx.strokeStyle = looks.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
  }
  ctx.fillStyle = looks.surface;
  if (bin === "burning") {
    ctx.beginPath();
    ctx.moveTo(x + size * 0.45, y);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x + size, y + size * 0.55);
    ctx.fill();
  }
  if (bin === "over") ctx.fillRect(x + size * 0.2, y + size * 0.42, size * 0.6, Math.max(1.5, size * 0.16));
}

/** A cell of its own, for the legend. */
function Cell({ bin }: { bin: Bin }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (!canvas.current || !ctx) return;
    const px = devicePixelRatio || 1;
    canvas.current.width = canvas.current.height = 13 * px;
    ctx.scale(px, px);
    drawCell(ctx, looksOf(getComputedStyle(document.documentElement)), bin, 0, 0, 13);
  }, [bin, scheme]);
  return <canvas ref={canvas} width={13} height={13} style={{ width: 13, height: 13 }} aria-hidden />;
}

function Legend({ groups }: { groups: HeatGroup[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <ul className="legend" aria-label={t("heat.legend")}>
      {bins.map((bin) => (
        <li key={bin}>
          <Cell bin={bin} /> {t(`heat.${bin}`)} <b>{f.number(groups.reduce((sum, g) => sum + g.counts[bin], 0))}</b>
        </li>
      ))}
    </ul>
  );
}

/** The same in numbers. */
function HeatTable({ groups, groupName, search, filter }: { groups: HeatGroup[]; groupName: (key: string) => string; search: SLOSearch; filter: SLOFilter }) {
  const { t } = useTranslation();
  const f = useFormat();
  const by: SLOGroup = search.group ?? "owner";
  return (
    <TableBox label={t("heat.title")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t(`group.${by}`)}</th>
            {bins.map((bin) => (
              <th scope="col" key={bin} className="num">
                {t(`heat.${bin}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((g) => (
            <tr key={g.key}>
              <td>
                <Link to="/slos" search={{ ...inGroup(filter, by, g.key), sort: search.sort }}>
                  {groupName(g.key)}
                </Link>
              </td>
              {bins.map((bin) => (
                <td key={bin} className="num">
                  {g.counts[bin] ? f.number(g.counts[bin]) : <span className="dim">–</span>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
