/** A page's state as it stands in the address: plain words, no quoting. */
export type Search = Record<string, string | undefined>;

/** Reads "?a=1&b=2" into words. Empty and repeated values: the last that says something wins. */
export function parseSearch(text: string): Search {
  const found: Search = {};
  for (const [key, value] of new URLSearchParams(text)) if (value !== "") found[key] = value;
  return found;
}

/** Writes words as "?a=1&b=2", sorted, without what is empty, so that one state has one address. */
export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const key of Object.keys(search).sort()) {
    const value = search[key];
    if (value !== undefined && value !== null && value !== "") params.set(key, String(value));
  }
  const text = params.toString();
  return text ? "?" + text : "";
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.includes(value as T) ? (value as T) : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim().slice(0, 200) : undefined;
}

export const statuses = ["burning", "exhausted", "attention", "backfilling", "unknown", "healthy"] as const;
/** The orders of the server's list; "-" before one turns it around. */
export const sloSorts = ["status", "name", "service", "owner", "tier", "budget", "-budget", "burn", "objective", "sli"] as const;
export type SLOSort = (typeof sloSorts)[number];

/** What the SLO list can be grouped by. */
export const sloGroups = ["owner", "system", "tier", "service"] as const;
export type SLOGroup = (typeof sloGroups)[number];

/** Which SLOs are meant. */
export interface SLOFilter {
  q?: string;
  service?: string;
  owner?: string;
  tier?: string;
  system?: string;
  status?: (typeof statuses)[number];
  /** Only the instances of this objective. */
  of?: string;
}

export interface SLOSearch extends SLOFilter {
  sort?: SLOSort;
  group?: SLOGroup;
  as?: "map";
}

export function parseSLOSearch(raw: Record<string, unknown>): SLOSearch {
  return clean({
    q: word(raw.q),
    service: word(raw.service),
    owner: word(raw.owner),
    tier: word(raw.tier),
    system: word(raw.system),
    status: oneOf(raw.status, statuses),
    of: word(raw.of),
    sort: oneOf(raw.sort, sloSorts),
    group: oneOf(raw.group, sloGroups),
    as: oneOf(raw.as, ["map"] as const),
  });
}

export interface ServiceSearch {
  q?: string;
  owner?: string;
  tier?: string;
  system?: string;
}

export function parseServiceSearch(raw: Record<string, unknown>): ServiceSearch {
  return clean({ q: word(raw.q), owner: word(raw.owner), tier: word(raw.tier), system: word(raw.system) });
}

export const ranges = ["1h", "6h", "1d", "3d", "7d", "30d"] as const;
export type Range = (typeof ranges)[number];

export function parseSLOPageSearch(raw: Record<string, unknown>): { range?: Range; /** In the reader's zone: whose knowledge the charts show. */ asOf?: string } {
  return clean({ range: oneOf(raw.range, ranges), asOf: localTime(raw.asOf) });
}

export interface ProbesSearch {
  q?: string;
  owner?: string;
  service?: string;
  state?: "up" | "degraded" | "down" | "silent" | "unknown";
}

export function parseProbesSearch(raw: Record<string, unknown>): ProbesSearch {
  return clean({ q: word(raw.q), owner: word(raw.owner), service: word(raw.service), state: oneOf(raw.state, ["up", "degraded", "down", "silent", "unknown"] as const) });
}

export interface ProbeSearch {
  location?: string;
  outcome?: "success" | "failure" | "unknown";
}

export function parseProbeSearch(raw: Record<string, unknown>): ProbeSearch {
  return clean({ location: word(raw.location), outcome: oneOf(raw.outcome, ["success", "failure", "unknown"] as const) });
}

export interface OncallSearch {
  /** The month shown, 2026-11. */
  month?: string;
  as?: "then" | "now";
}

export function parseOncallSearch(raw: Record<string, unknown>): OncallSearch {
  const month = word(raw.month);
  return clean({ month: month && /^\d{4}-(0[1-9]|1[0-2])$/.test(month) ? month : undefined, as: oneOf(raw.as, ["then", "now"] as const) });
}

/** How far back the explorer looks. */
export const exploreRanges = ["15m", "1h", "6h", "1d", "7d", "30d"] as const;

export interface ExploreSearch {
  /** PromQL. */
  q?: string;
  source?: string;
  range?: (typeof exploreRanges)[number];
  /** The end of the range in the reader's zone; now when absent. */
  to?: string;
  step?: string;
  as?: "table";
}

export function parseExploreSearch(raw: Record<string, unknown>): ExploreSearch {
  const q = typeof raw.q === "string" ? raw.q.trim().slice(0, 8000) : undefined;
  return clean({
    q: q || undefined,
    source: word(raw.source),
    range: oneOf(raw.range, exploreRanges),
    to: localTime(raw.to),
    step: word(raw.step),
    as: oneOf(raw.as, ["table"] as const),
  });
}

export interface EditSearch {
  /** The document's kind: of the one that is edited, or of a new one. */
  kind?: string;
  name?: string;
  /** What a new document is for. */
  service?: string;
}

export function parseEditSearch(raw: Record<string, unknown>): EditSearch {
  return clean({ kind: word(raw.kind), name: word(raw.name), service: word(raw.service) });
}

export interface ActivitySearch {
  kind?: string;
  subject?: string;
  actor?: string;
  q?: string;
  from?: string;
  to?: string;
  entry?: string;
}

/** A local date and time as an input of type datetime-local writes it. */
function localTime(value: unknown): string | undefined {
  const text = word(value);
  return text && /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

export function parseActivitySearch(raw: Record<string, unknown>): ActivitySearch {
  return clean({
    kind: word(raw.kind),
    subject: word(raw.subject),
    actor: word(raw.actor),
    q: word(raw.q),
    from: localTime(raw.from),
    to: localTime(raw.to),
    entry: word(raw.entry),
  });
}

/** Leaves out what is undefined: the router compares searches by their keys. */
function clean<T extends object>(search: T): T {
  for (const key of Object.keys(search) as (keyof T)[]) if (search[key] === undefined) delete search[key];
  return search;
}

/** The next order when a column's head is pressed: through its orders, then off. */
export function nextSort<T extends string>(current: T | undefined, orders: readonly T[]): T | undefined {
  const at = current === undefined ? -1 : orders.indexOf(current);
  return orders[at + 1];
}
