import type { Both } from "../i18n";

export interface DataRow {
  path: string;
  before?: unknown;
  after?: unknown;
  changed: boolean;
}

export function isBoth(v: unknown): v is Both {
  return typeof v === "object" && v !== null && typeof (v as Both).en === "string" && typeof (v as Both).ja === "string" && Object.keys(v).length === 2;
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v) && !isBoth(v);

/**
 * An entry's data as rows of path and value. Where it holds "before" and
 * "after", only what differs becomes rows, each with both.
 */
export function flatten(data: unknown): DataRow[] {
  if (!isObject(data)) return data === undefined || data === null ? [] : [{ path: "", after: data, changed: false }];
  const rows: DataRow[] = [];
  const { before, after, ...rest } = data;
  if (before !== undefined && after !== undefined) diff("", before, after, rows);
  else if (before !== undefined || after !== undefined) plain("", after ?? before, rows);
  plain("", rest, rows);
  return rows;
}

const join = (path: string, key: string) => (path ? path + "." + key : key);

function plain(path: string, value: unknown, rows: DataRow[]) {
  if (isObject(value)) for (const key of Object.keys(value)) plain(join(path, key), value[key], rows);
  else if (value !== undefined && value !== null && value !== "") rows.push({ path, after: value, changed: false });
}

function diff(path: string, before: unknown, after: unknown, rows: DataRow[]) {
  if (isObject(before) || isObject(after)) {
    const b = isObject(before) ? before : {};
    const a = isObject(after) ? after : {};
    for (const key of new Set([...Object.keys(b), ...Object.keys(a)])) diff(join(path, key), b[key], a[key], rows);
    return;
  }
  if (JSON.stringify(before) !== JSON.stringify(after)) rows.push({ path, before, after, changed: true });
}
