import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import uPlot from "uplot";
import { useFormat } from "../format";
import { zoneName } from "../format/time";
import { firmAndProvisional, tickText, unknownSpans, wideTicks } from "./chartMath";

export type Tint = "accent" | "warn" | "bad" | "chart-2" | "chart-3" | "chart-4" | "chart-5" | "chart-6" | "ink-2";

export interface ChartLine {
  label: string;
  /** One per time; null where nothing is known. */
  values: (number | null)[];
  tint: Tint;
  dash?: boolean;
  fill?: boolean;
  /** Which values may still change much: they are drawn dashed and pale. */
  provisional?: boolean[];
}

export interface ChartProps {
  title: string;
  /** What one unit of the y axis is. */
  unit: string;
  /** The time that each point sums up, where it does. */
  window?: string;
  /** Unix milliseconds, ascending. */
  times: number[];
  lines: ChartLine[];
  thresholds?: { value: number; label: string; tint: Tint }[];
  /** What happened, to be marked on the time axis. */
  marks?: { at: number; label: string; tint: Tint; /** What such marks are, for the legend. */ group: string }[];
  format: (v: number | null | undefined) => string;
  /** The y axis from what is there to be seen. */
  range?: (low: number, high: number) => [number, number];
  height?: number;
  /** Small and great values both in sight (inverse hyperbolic sine): for rates that span orders of magnitude. */
  wide?: boolean;
  /** Charts with one key move their cursors together. */
  sync?: string;
  /** What provisional values rest on, for the legend. */
  provisionalNote?: string;
  /** Between which values the truth of the first line lies, where not everything is known. */
  band?: { low: (number | null)[]; high: (number | null)[] };
  /** Which steps do not count: they are hatched. */
  excluded?: boolean[];
  /** A sentence about what the chart shows, for example how to read it. */
  note?: string;
}

function colour(tint: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + tint).trim() || "gray";
}

const font = '11px system-ui, "Noto Sans CJK JP", sans-serif';
const dash = [5, 4];

/**
 * A chart over time. It says its unit, window and time zone, can be read with
 * the arrow keys (as a slider over its points), and has a table with the same
 * numbers.
 */
export function Chart(props: ChartProps) {
  const { title, unit, window: over, times, lines, thresholds = [], marks = [], format, range, height = 190, sync, note, wide, provisionalNote, band, excluded } = props;
  const { t } = useTranslation();
  const f = useFormat();
  const scheme = useComputedColorScheme("light");
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [tabled, setTabled] = useState(false);
  const id = useId();

  const data = useMemo<uPlot.AlignedData>(() => {
    const parts = lines.map((l) => firmAndProvisional(l.values, l.provisional));
    return [times.map((ms) => ms / 1000), ...parts.map((p) => p.firm), ...parts.flatMap((p) => (p.provisional ? [p.provisional] : [])), ...(band ? [band.low, band.high] : [])];
  }, [times, lines, band]);
  const drawn = useRef({ thresholds, marks, lines, range, format, excluded });
  drawn.current = { thresholds, marks, lines, range, format, excluded };
  const banded = band !== undefined;
  const shape = lines.map((l) => `${l.label}|${l.tint}|${l.dash}|${l.fill}|${l.provisional?.includes(true)}`).join("\n");
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const ink = colour("ink-2");
    const grid = { stroke: colour("line"), width: 1 };
    const u = new uPlot(
      {
        width: el.clientWidth || 300,
        height,
        padding: [10, 16, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, ...(sync ? { sync: { key: sync, setSeries: false } } : {}) },
        scales: {
          x: { time: true },
          y: {
            ...(wide ? { distr: 4 as const, asinh: 1 } : {}),
            range: (_u, low, high) => {
              const highest = Math.max(high ?? 0, ...drawn.current.thresholds.map((th) => th.value));
              const lowest = Math.min(low ?? highest, ...drawn.current.thresholds.map((th) => th.value));
              if (drawn.current.range) return drawn.current.range(lowest, highest);
              const pad = (highest - lowest || Math.abs(highest) || 1) * 0.08;
              return [lowest - pad, highest + pad];
            },
          },
        },
        series: [
          {},
          ...drawn.current.lines.map<uPlot.Series>((l) => ({
            label: l.label,
            stroke: colour(l.tint),
            width: 1.6,
            dash: l.dash ? dash : undefined,
            fill: l.fill ? `color-mix(in srgb, ${colour(l.tint)} 13%, transparent)` : undefined,
            points: { show: false },
            spanGaps: false,
          })),
          ...drawn.current.lines
            .filter((l) => l.provisional?.includes(true))
            .map<uPlot.Series>((l) => ({
              label: l.label,
              stroke: `color-mix(in srgb, ${colour(l.tint)} 60%, transparent)`,
              width: 1.4,
              dash: [3, 3],
              points: { show: false },
              spanGaps: false,
            })),
          // A wide band is cut at the edge: it must not make what is known flat.
          ...(banded ? [{ auto: false, points: { show: false } }, { auto: false, points: { show: false } }] : []),
        ],
        ...(banded ? { bands: [{ series: [latest.current.length - 1, latest.current.length - 2] as uPlot.Band.Bounds, fill: `color-mix(in srgb, ${colour(drawn.current.lines[0].tint)} 22%, transparent)` }] } : {}),
        axes: [
          { font, stroke: ink, grid, ticks: { stroke: colour("line"), width: 1, size: 4 }, size: 26, space: 72, values: (_u, splits, _i, _s, step) => splits.map((s) => tickText(s * 1000, step, f.clock, f.date)) },
          { font, stroke: ink, grid, ticks: { show: false }, size: (_u, values) => 14 + Math.max(24, ...(values ?? []).map((v) => v.length * 6.3)), values: (_u, splits) => splits.map((v) => (v === null ? "" : drawn.current.format(v))), space: wide ? 20 : 34, ...(wide ? { splits: (_u: uPlot, _i: number, _low: number, high: number) => wideTicks(high) } : {}) },
        ],
        hooks: {
          drawClear: [(u) => shadeUnknown(u, drawn.current.lines[0]?.values), (u) => hatch(u, drawn.current.excluded)],
          draw: [(u) => drawLines(u, drawn.current.thresholds, drawn.current.marks)],
          setCursor: [(u) => setAt(u.cursor.idx ?? null)],
        },
      },
      latest.current,
      el,
    );
    plot.current = u;
    const watch = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height }));
    watch.observe(el);
    return () => {
      watch.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape, banded, scheme, height, sync, wide, f]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, marks, thresholds]);

  const shown = Math.min(at ?? times.length - 1, times.length - 1);
  const moveTo = (i: number) => {
    const u = plot.current;
    if (!u || times.length === 0) return;
    const next = Math.max(0, Math.min(times.length - 1, i));
    u.setCursor({ left: u.valToPos(times[next] / 1000, "x"), top: 10 });
    setAt(next);
  };
  const onKey = (e: React.KeyboardEvent) => {
    const page = Math.max(1, Math.round(times.length / 10));
    const steps: Record<string, number> = { ArrowLeft: shown - 1, ArrowRight: shown + 1, PageDown: shown - page, PageUp: shown + page, Home: 0, End: times.length - 1 };
    if (!(e.key in steps)) return;
    e.preventDefault();
    moveTo(steps[e.key]);
  };
  const value = (l: ChartLine, i: number) => {
    const [low, high] = l === lines[0] ? [band?.low[i], band?.high[i]] : [];
    return typeof low === "number" && typeof high === "number" && format(low) !== format(high) ? t("chart.between", { value: format(l.values[i]), low: format(low), high: format(high) }) : format(l.values[i]);
  };
  const worded = (l: ChartLine, i: number) => (l.provisional?.[i] && l.values[i] !== null ? t("chart.provisionalValue", { value: value(l, i) }) : value(l, i));
  // What a pointer can meet: two steps to either side.
  const step = times.length > 1 ? times[1] - times[0] : 0;
  const here = at === null || shown < 0 ? [] : marks.filter((m) => Math.abs(m.at - times[shown]) <= 2 * step);
  const spoken = shown < 0 ? t("chart.noData") : [f.dateTime(times[shown]), ...lines.map((l) => `${l.label} ${worded(l, shown)}`), ...here.map((m) => m.label)].join(", ");
  const what = [unit, over && t("chart.window", { window: over }), zoneName()].filter(Boolean).join(" · ");

  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <span className="what">{what}</span>
        <span className="tools">
          <button className="linkbtn" aria-expanded={tabled} onClick={() => setTabled(!tabled)}>
            {tabled ? t("chart.hideTable") : t("chart.showTable")}
            <span className="visually-hidden"> {title}</span>
          </button>
        </span>
      </figcaption>
      {note && <p className="dim small">{note}</p>}
      <div
        className="plot"
        ref={box}
        tabIndex={0}
        role="slider"
        aria-label={t("chart.slider", { title })}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, times.length - 1)}
        aria-valuenow={Math.max(0, shown)}
        aria-valuetext={spoken}
        onKeyDown={onKey}
      />
      <ul className="legend" aria-hidden>
        <li>{shown >= 0 ? f.shortTime(times[shown]) : t("chart.noData")}</li>
        {lines.map((l) => (
          <li key={l.label}>
            <span className="swatch" data-dash={l.dash} style={{ borderTopColor: `var(--${l.tint})` }} />
            {l.label} <b>{shown >= 0 ? worded(l, shown) : ""}</b>
          </li>
        ))}
        {lines.some((l) => l.provisional?.includes(true)) && (
          <li>
            <span className="swatch" data-dash style={{ borderTopColor: `var(--${lines[0].tint})`, opacity: 0.6 }} />
            {provisionalNote}
          </li>
        )}
        {banded && (
          <li>
            <span className="swatch" data-band style={{ background: `var(--${lines[0].tint})` }} />
            {t("chart.band")}
          </li>
        )}
        {excluded?.includes(true) && (
          <li>
            <span className="swatch" data-hatch />
            {t("chart.excluded")}
          </li>
        )}
        {[...new Set(marks.map((m) => m.group))].map((group) => (
          <li key={group}>
            <span className="swatch" data-mark style={{ borderLeftColor: `var(--${marks.find((m) => m.group === group)?.tint})` }} />
            {group} {f.number(marks.filter((m) => m.group === group).length)}
          </li>
        ))}
        {here.slice(0, 3).map((m, i) => (
          <li key={"here" + i} className="anywhere">
            <span className="swatch" data-mark style={{ borderLeftColor: `var(--${m.tint})` }} />
            <b>
              {f.shortTime(m.at)} {m.label}
            </b>
          </li>
        ))}
      </ul>
      {tabled && <ChartTable {...props} worded={worded} />}
    </figure>
  );
}

/** At most this many rows: a table is read, not scrolled for ever. */
const tableRows = 200;

function ChartTable({ title, times, lines, marks = [], worded }: ChartProps & { worded: (line: ChartLine, i: number) => string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const every = Math.max(1, Math.ceil(times.length / tableRows));
  const rows = times.map((at, i) => ({ at, i })).filter(({ i }) => (times.length - 1 - i) % every === 0).reverse();
  return (
    <div className="tableview" role="group" aria-label={t("chart.table", { title })} tabIndex={0}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("chart.time", { zone: zoneName() })}</th>
            {lines.map((l) => (
              <th scope="col" className="num" key={l.label}>
                {l.label}
              </th>
            ))}
            {marks.length > 0 && <th scope="col">{t("chart.happened")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, i }) => {
            const before = i >= every ? times[i - every] : -Infinity;
            return (
              <tr key={at}>
                <td className="nowrap tab">{f.dateTime(at)}</td>
                {lines.map((l) => (
                  <td className="num" key={l.label}>
                    {l.values[i] === null ? t("unknown") : worded(l, i)}
                  </td>
                ))}
                {marks.length > 0 && <td>{marks.filter((m) => m.at > before && m.at <= at).map((m) => m.label).join(", ")}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Shades the stretches where the first line knows nothing. */
function shadeUnknown(u: uPlot, first: (number | null)[] | undefined) {
  const { ctx } = u;
  if (!first) return;
  ctx.save();
  ctx.fillStyle = colour("bar");
  ctx.globalAlpha = 0.6;
  for (const [from, to] of unknownSpans(u.data[0] as number[], first)) {
    const x0 = Math.max(u.bbox.left, u.valToPos(from, "x", true));
    const x1 = Math.min(u.bbox.left + u.bbox.width, u.valToPos(to, "x", true));
    if (x1 > x0) ctx.fillRect(x0, u.bbox.top, x1 - x0, u.bbox.height);
  }
  ctx.restore();
}

/** Hatches the steps that do not count. */
function hatch(u: uPlot, excluded: boolean[] | undefined) {
  if (!excluded?.includes(true)) return;
  const { ctx } = u;
  const times = u.data[0] as number[];
  const { left, top, width, height } = u.bbox;
  const gap = 6 * (devicePixelRatio || 1);
  ctx.save();
  ctx.beginPath();
  excluded.forEach((is, i) => {
    if (!is) return;
    const x0 = Math.max(left, u.valToPos(times[Math.max(0, i - 1)], "x", true));
    const x1 = Math.min(left + width, u.valToPos(times[i], "x", true));
    ctx.rect(x0, top, Math.max(2, x1 - x0), height);
  });
  ctx.clip();
  ctx.strokeStyle = colour("chart-2");
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = devicePixelRatio || 1;
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += gap) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

function drawLines(u: uPlot, thresholds: NonNullable<ChartProps["thresholds"]>, marks: NonNullable<ChartProps["marks"]>) {
  const { ctx } = u;
  const px = devicePixelRatio || 1;
  const { left, top, width, height } = u.bbox;
  ctx.save();
  ctx.lineWidth = px;
  ctx.font = `${11 * px}px system-ui, "Noto Sans CJK JP", sans-serif`;
  let lastLabel = -Infinity;
  let onLeft = false;
  for (const th of [...thresholds].sort((a, b) => a.value - b.value)) {
    const y = u.valToPos(th.value, "y", true);
    if (y < top || y > top + height) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(th.tint);
    ctx.setLineDash([5 * px, 4 * px]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    // Labels that would touch stand at opposite ends of their lines.
    onLeft = Math.abs(y - lastLabel) < 13 * px && !onLeft;
    lastLabel = y;
    ctx.textAlign = onLeft ? "left" : "right";
    const above = y - 4 * px > top + 11 * px;
    ctx.textBaseline = above ? "bottom" : "top";
    // A rim in the background's colour keeps the label legible over lines.
    ctx.setLineDash([]);
    ctx.lineJoin = "round";
    ctx.lineWidth = 3 * px;
    ctx.strokeStyle = colour("surface");
    ctx.strokeText(th.label, onLeft ? left + 4 * px : left + width - 4 * px, above ? y - 2 * px : y + 3 * px);
    ctx.lineWidth = px;
    ctx.fillText(th.label, onLeft ? left + 4 * px : left + width - 4 * px, above ? y - 2 * px : y + 3 * px);
  }
  for (const m of marks) {
    const x = u.valToPos(m.at / 1000, "x", true);
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(m.tint);
    ctx.setLineDash([2 * px, 3 * px]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(x - 4 * px, top);
    ctx.lineTo(x + 4 * px, top);
    ctx.lineTo(x, top + 6 * px);
    ctx.fill();
  }
  ctx.restore();
}
