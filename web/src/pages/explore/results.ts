import type { QueryResult } from "../../api/types";
import { parseDuration } from "../../format/time";

/** Times after which a chart's axis reads well, in seconds. */
const steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
/** How many points of one series a chart of our width can show. */
const pointsWanted = 300;

/** The step for a span when none was asked for, in seconds. */
export function autoStep(spanMs: number): number {
  const wanted = spanMs / 1000 / pointsWanted;
  return steps.find((s) => s >= wanted) ?? steps[steps.length - 1];
}

/** A step as it was typed, in seconds; undefined when it is none. */
export function stepOf(text: string | undefined): number | undefined {
  const ms = text ? parseDuration(text) : NaN;
  return ms >= 1000 ? Math.round(ms / 1000) : undefined;
}

/** The answer's series over one set of times; null where a series has no value. */
export function align(result: QueryResult, most: number): { times: number[]; lines: { name: string; values: (number | null)[] }[] } {
  const shown = (result.series ?? []).slice(0, most).map((s) => ({ name: s.name, at: (s.times ?? []).map((t) => Date.parse(t)), values: s.values ?? [] }));
  const times = [...new Set(shown.flatMap((s) => s.at))].sort((a, b) => a - b);
  const place = new Map(times.map((at, i) => [at, i]));
  const lines = shown.map((s) => {
    const values = new Array<number | null>(times.length).fill(null);
    s.at.forEach((at, i) => (values[place.get(at) ?? 0] = s.values[i]));
    return { name: s.name, values };
  });
  return { times, lines };
}
