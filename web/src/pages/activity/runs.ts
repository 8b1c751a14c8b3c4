/** One row of the list: an entry, or many of a kind that came in a row. */
export type Row<E> = { entry: E } | { run: E[] };

/** From this many on, entries of one kind by one actor in a row are told as one. */
const least = 5;

/**
 * Gathers entries that stand in a row, are of one kind and by one actor. The
 * one the reader opened stays by itself, so that it can be seen.
 */
export function gather<E extends { id: string; kind: string; actor: { id: string } }>(entries: E[], opened: string | undefined): Row<E>[] {
  const rows: Row<E>[] = [];
  for (let i = 0; i < entries.length; ) {
    let j = i + 1;
    while (j < entries.length && entries[j].kind === entries[i].kind && entries[j].actor.id === entries[i].actor.id) j++;
    const run = entries.slice(i, j);
    if (run.length >= least && !run.some((e) => e.id === opened)) rows.push({ run });
    else rows.push(...run.map((entry) => ({ entry })));
    i = j;
  }
  return rows;
}
