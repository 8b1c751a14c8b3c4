type Document = { spec?: { objectives?: { target?: unknown; targetPercent?: unknown }[] } };

function targetOf(document: unknown): number | undefined {
  const first = (document as Document | undefined)?.spec?.objectives?.[0];
  const target = typeof first?.targetPercent === "number" ? first.targetPercent / 100 : first?.target;
  return typeof target === "number" ? target : undefined;
}

/** The first objective's target before and after, where an entry tells of a document in which it changed. */
export function targetChange(data: unknown): [number, number] | undefined {
  const { before, after } = (data ?? {}) as { before?: unknown; after?: unknown };
  const [was, is] = [targetOf(before), targetOf(after)];
  return was !== undefined && is !== undefined && was !== is ? [was, is] : undefined;
}
