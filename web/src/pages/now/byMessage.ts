/** Groups deliveries that stand side by side and carry the same message, keeping their order. */
export function byMessage<D extends { entry: string; kind: string }>(deliveries: D[]): D[][] {
  const groups: D[][] = [];
  for (const d of deliveries) {
    const last = groups.at(-1);
    if (last && d.entry !== "" && last[0].entry === d.entry && last[0].kind === d.kind) last.push(d);
    else groups.push([d]);
  }
  return groups;
}
