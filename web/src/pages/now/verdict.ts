/** The first sentence of the first page, by what is worst. */
export function verdict(tally: Record<string, number>, paging: number): { key: "burning" | "exhausted" | "attention" | "unsure" | "calm"; count: number } {
  const burning = Math.max(paging, tally.burning ?? 0);
  if (burning > 0) return { key: "burning", count: burning };
  if (tally.exhausted) return { key: "exhausted", count: tally.exhausted };
  if (tally.attention) return { key: "attention", count: tally.attention };
  const unsure = (tally.unknown ?? 0) + (tally.backfilling ?? 0);
  const total = Object.values(tally).reduce((a, b) => a + b, 0);
  if (unsure > 0) return { key: "unsure", count: unsure };
  return { key: "calm", count: total };
}
