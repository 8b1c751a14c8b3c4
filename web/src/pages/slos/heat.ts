import type { Budgets } from "../../api/types";

/** How a cell of the heat map looks, from what needs somebody to what does not. */
export const bins = ["burning", "over", "low", "half", "most", "full", "unknown"] as const;
export type Bin = (typeof bins)[number];

/** The bin of one budget. What burns stands out whatever is left. */
export function binOf(status: string, left: number | null | undefined): Bin {
  if (status === "burning") return "burning";
  if (left === null || left === undefined || status === "unknown" || status === "backfilling") return "unknown";
  if (left <= 0) return "over";
  if (left < 0.25) return "low";
  if (left < 0.5) return "half";
  return left < 0.75 ? "most" : "full";
}

/** Cells that stand together. */
export interface HeatGroup {
  key: string;
  /** Places in the columns of the answer. */
  cells: number[];
  counts: Record<Bin, number>;
}

/** The objectives in groups; the group whose worst objective is the worst comes first, as they come from the server. */
export function gatherHeat(budgets: Budgets, grouped: boolean): HeatGroup[] {
  const groups = new Map<string, HeatGroup>();
  budgets.names?.forEach((_, i) => {
    const key = grouped ? (budgets.groups?.[i] ?? "") : "";
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { key, cells: [], counts: { burning: 0, over: 0, low: 0, half: 0, most: 0, full: 0, unknown: 0 } }));
    group.cells.push(i);
    group.counts[binOf(budgets.status?.[i] ?? "unknown", budgets.left?.[i])]++;
  });
  return [...groups.values()];
}

/** The width of a cell in pixels: as large as the number of cells allows. */
export function cellSize(count: number): number {
  return count <= 200 ? 20 : count <= 2000 ? 13 : 9;
}

/** Where an arrow key leads among cells in rows of the given length; undefined beyond them. */
export function moveIn(key: string, at: number, count: number, columns: number): number | undefined {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns }[key];
  return to !== undefined && to >= 0 && to < count ? to : undefined;
}
