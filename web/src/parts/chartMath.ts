const hour = 3600;
const day = 24 * hour;

/** A tick's text: the date where a day begins or ticks are days apart, else the clock. */
export function tickText(ms: number, stepSeconds: number, clock: (ms: number) => string, date: (ms: number) => string): string {
  const time = clock(ms);
  return stepSeconds >= day || time === "00:00" || time === "0:00" ? date(ms) : time;
}

/** Stretches of time around nulls, each reaching halfway to its known neighbours. */
export function unknownSpans(times: number[], values: (number | null)[]): [number, number][] {
  const spans: [number, number][] = [];
  for (let i = 0; i < times.length; i++) {
    if (values[i] !== null && values[i] !== undefined) continue;
    let j = i;
    while (j + 1 < times.length && (values[j + 1] === null || values[j + 1] === undefined)) j++;
    spans.push([i === 0 ? times[0] : (times[i - 1] + times[i]) / 2, j === times.length - 1 ? times[j] : (times[j] + times[j + 1]) / 2]);
    i = j;
  }
  return spans;
}

/** A line in two: what is firm, and what is provisional; they meet at the first firm value after a provisional one. */
export function firmAndProvisional(values: (number | null)[], provisional?: boolean[]): { firm: (number | null)[]; provisional?: (number | null)[] } {
  if (!provisional?.includes(true)) return { firm: values };
  return {
    firm: values.map((v, i) => (provisional[i] ? null : v)),
    provisional: values.map((v, i) => (provisional[i] || provisional[i - 1] ? v : null)),
  };
}

/** From which known share of its window on what is left of a budget is firm. */
export const firmFrom = 0.9;

/** The y range of a burn-down: whole budget and nothing stay in sight, and as much of an overspent budget as is told apart. */
export function budgetRange(low: number, high: number): [number, number] {
  return [Math.min(0, low) - (low < 0 ? 0.05 * (1 - low) : 0), Math.max(1, high) + 0.04 * (1 - Math.min(0, low))];
}

/** The y range of an SLI: it ends just above 100 %, and is never so narrow that its ticks read alike. */
export function sliRange(low: number, high: number): [number, number] {
  const span = Math.max(high - low, (1 - low) * 0.5, 1e-6);
  return [low - span * 0.1, Math.min(high + span * 0.12, 1 + span * 0.06)];
}

/** The y range of burn rates: from zero, thresholds in sight. */
export function burnRange(_low: number, high: number): [number, number] {
  return [0, Math.max(high, 1) * 1.35];
}

/** Ticks from nothing upward, each about three times the one before: 0, 1, 3, 10, 30, … */
export function wideTicks(high: number): number[] {
  const ticks = [0];
  for (let size = 1; size <= high; size *= 10) {
    ticks.push(size);
    if (3 * size <= high) ticks.push(3 * size);
  }
  return ticks;
}

/** A band, where low and high ever differ; none otherwise. */
export function bandOf(low: (number | null)[] | undefined, high: (number | null)[] | undefined): { low: (number | null)[]; high: (number | null)[] } | undefined {
  const apart = low?.some((v, i) => v !== null && typeof high?.[i] === "number" && high[i] - v > 1e-9);
  return apart && low && high ? { low, high } : undefined;
}

/** Where windows that begin by the calendar begin: the start stands still between points and then leaps. A rolling window has none. */
export function windowStarts(from: readonly number[]): number[] {
  return from.filter((at, i) => i > 1 && at !== from[i - 1] && from[i - 1] === from[i - 2]);
}

/** What would be left of a budget that is spent evenly, at each time, where windows begin by the calendar; the last one ends at end. */
export function paceOf(times: readonly number[], from: readonly number[], end: number): (number | null)[] {
  let next = end;
  const ends = new Array<number>(from.length);
  for (let i = from.length - 1; i >= 0; i--) {
    if (i + 1 < from.length && from[i] !== from[i + 1]) next = from[i + 1];
    ends[i] = next;
  }
  return times.map((at, i) => (ends[i] > from[i] ? 1 - (at - from[i]) / (ends[i] - from[i]) : null));
}
