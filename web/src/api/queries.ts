import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { paths } from "./schema";

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? NonNullable<Q> : paths[P] extends { get: { parameters: { query: infer R } } } ? R : never;

/** Unwraps an answer: the client throws for everything that is no success. */
async function data<T>(request: Promise<{ data?: T }>): Promise<T> {
  return (await request).data as T;
}

// Each key starts with the room it belongs to: the live feed invalidates rooms.
export const me = () => queryOptions({ queryKey: ["access", "me"], queryFn: ({ signal }) => data(api.GET("/api/v1/me", { signal })) });

export const slos = (query: Query<"/api/v1/slos">) =>
  queryOptions({ queryKey: ["slo", "list", query], queryFn: ({ signal }) => data(api.GET("/api/v1/slos", { signal, params: { query } })), placeholderData: keepPreviousData });

/** A part of the list, from any place. While it is asked for anew, what stood at that place stays. */
export const sloPage = (query: Query<"/api/v1/slos">) =>
  queryOptions({
    queryKey: ["slo", "page", query] as const,
    queryFn: ({ signal }) => data(api.GET("/api/v1/slos", { signal, params: { query } })),
    placeholderData: (old, before) => (before?.queryKey[2].offset === query.offset ? old : undefined),
  });

/** An objective as it is known now, or as it was known at a time. */
export const slo = (name: string, asOf?: string) =>
  queryOptions({ queryKey: ["slo", "one", name, asOf], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}", { signal, params: { path: { name }, query: { asOf } } })) });

export const sloDebits = (name: string, query: Query<"/api/v1/slos/{name}/debits">) =>
  queryOptions({ queryKey: ["slo", "debits", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/debits", { signal, params: { path: { name }, query } })), staleTime: 60_000, placeholderData: keepPreviousData });

export const sloContributions = (name: string, query: Query<"/api/v1/slos/{name}/contributions">) =>
  queryOptions({ queryKey: ["slo", "contributions", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/contributions", { signal, params: { path: { name }, query } })), staleTime: 60_000, placeholderData: keepPreviousData });

export const retiredInstances = (name: string) =>
  queryOptions({ queryKey: ["slo", "retired", name], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/retired", { signal, params: { path: { name }, query: { limit: 100 } } })) });

/** What an instance was that is retired. */
export const retiredInstance = (name: string) =>
  queryOptions({ queryKey: ["slo", "was", name], queryFn: ({ signal }) => data(api.GET("/api/v1/retired-instances/{name}", { signal, params: { path: { name } } })), retry: false });

/** What of an objective's expressions is hardly meant, as its sources say now. */
export const sloInspection = (name: string) =>
  queryOptions({ queryKey: ["slo", "inspection", name], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/inspection", { signal, params: { path: { name } } })), staleTime: 60_000 });

export const agreements = (name: string) =>
  queryOptions({ queryKey: ["slo", "agreements", name], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/agreements", { signal, params: { path: { name } } })) });

/** Every time that does not count, to be marked on charts. */
export const sloExclusions = (name: string, query: Query<"/api/v1/slos/{name}/exclusions">) =>
  queryOptions({ queryKey: ["slo", "excluded", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/exclusions", { signal, params: { path: { name }, query } })), placeholderData: keepPreviousData });

export const sloSeries = (name: string, query: Query<"/api/v1/slos/{name}/series">) =>
  queryOptions({
    queryKey: ["slo", "series", name, query],
    queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/series", { signal, params: { path: { name }, query } })),
    placeholderData: keepPreviousData,
  });

export const sloAlerts = (name: string) =>
  queryOptions({ queryKey: ["slo", "alerts", name], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/alerts", { signal, params: { path: { name }, query: { limit: 20 } } })) });

type CountsQuery = Query<"/api/v1/slos/counts">;

export const sloCounts = (by: NonNullable<CountsQuery["by"]>, filter: Omit<CountsQuery, "by"> = {}) =>
  queryOptions({
    queryKey: ["slo", "counts", by, filter],
    queryFn: ({ signal }) => data(api.GET("/api/v1/slos/counts", { signal, params: { query: { ...filter, by } } })),
    placeholderData: keepPreviousData,
  });

export const sloBudgets = (query: Query<"/api/v1/slos/budgets">) =>
  queryOptions({
    queryKey: ["slo", "budgets", query],
    queryFn: ({ signal }) => data(api.GET("/api/v1/slos/budgets", { signal, params: { query } })),
    placeholderData: keepPreviousData,
  });

export const suggestion = (name: string) =>
  queryOptions({ queryKey: ["slo", "suggestion", name], queryFn: ({ signal }) => data(api.GET("/api/v1/slos/{name}/replay/suggest", { signal, params: { path: { name } } })), staleTime: 60_000 });

export const exclusions = (query: Query<"/api/v1/exclusions">) =>
  queryOptions({ queryKey: ["slo", "exclusions", query], queryFn: ({ signal }) => data(api.GET("/api/v1/exclusions", { signal, params: { query } })) });

/** One document as YAML that applies to the same. */
export const documentYaml = (kind: string, name: string) =>
  queryOptions({ queryKey: ["ascode", "yaml", kind, name], queryFn: ({ signal }) => data(api.GET("/api/v1/documents/export", { signal, parseAs: "text", params: { query: { kind, name } } })), gcTime: 0, staleTime: Infinity });

export const storedDocument = (kind: string, name: string) =>
  queryOptions({ queryKey: ["ascode", "document", kind, name], queryFn: ({ signal }) => data(api.GET("/api/v1/documents/{kind}/{namespace}/{name}", { signal, params: { path: { kind, namespace: "default", name } } })), retry: false });

export const alerts = (query: Query<"/api/v1/slo-alerts">) =>
  queryOptions({ queryKey: ["slo", "alerts-all", query], queryFn: ({ signal }) => data(api.GET("/api/v1/slo-alerts", { signal, params: { query } })) });

export const services = (query: Query<"/api/v1/services">) =>
  queryOptions({ queryKey: ["catalog", "services", query], queryFn: ({ signal }) => data(api.GET("/api/v1/services", { signal, params: { query } })), placeholderData: keepPreviousData });

export const servicePages = (query: Query<"/api/v1/services">) =>
  infiniteQueryOptions({
    queryKey: ["catalog", "service-pages", query],
    queryFn: ({ signal, pageParam }) => data(api.GET("/api/v1/services", { signal, params: { query: { ...query, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });

export const service = (name: string) =>
  queryOptions({ queryKey: ["catalog", "service", name], queryFn: ({ signal }) => data(api.GET("/api/v1/services/{name}", { signal, params: { path: { name } } })) });

export const teams = () => queryOptions({ queryKey: ["catalog", "teams"], queryFn: ({ signal }) => data(api.GET("/api/v1/teams", { signal, params: { query: { limit: 200 } } })), staleTime: 60_000 });

export const journal = (query: Query<"/api/v1/journal">) =>
  queryOptions({ queryKey: ["journal", "list", query], queryFn: ({ signal }) => data(api.GET("/api/v1/journal", { signal, params: { query } })), placeholderData: keepPreviousData });

export const journalPages = (query: Query<"/api/v1/journal">) =>
  infiniteQueryOptions({
    queryKey: ["journal", "pages", query],
    queryFn: ({ signal, pageParam }) => data(api.GET("/api/v1/journal", { signal, params: { query: { ...query, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });

export const entry = (id: string) =>
  queryOptions({ queryKey: ["journal", "one", id], queryFn: ({ signal }) => data(api.GET("/api/v1/journal/entries/{id}", { signal, params: { path: { id } } })) });

export const seals = () => queryOptions({ queryKey: ["journal", "seals"], queryFn: ({ signal }) => data(api.GET("/api/v1/journal/seals", { signal, params: { query: { limit: 50 } } })) });

export const sources = () => queryOptions({ queryKey: ["metrics", "sources"], queryFn: ({ signal }) => data(api.GET("/api/v1/sources", { signal })) });

export const targets = (name: string) =>
  queryOptions({ queryKey: ["metrics", "targets", name], queryFn: ({ signal }) => data(api.GET("/api/v1/sources/{name}/targets", { signal, params: { path: { name } } })) });

export const senders = (name: string) =>
  queryOptions({ queryKey: ["metrics", "senders", name], queryFn: ({ signal }) => data(api.GET("/api/v1/sources/{name}/senders", { signal, params: { path: { name } } })), refetchInterval: 15_000 });

export const rangeQuery = (query: Query<"/api/v1/query_range">) =>
  queryOptions({ queryKey: ["explore", "range", query], queryFn: ({ signal }) => data(api.GET("/api/v1/query_range", { signal, params: { query } })), staleTime: 60_000, retry: false });

export const instantQuery = (query: Query<"/api/v1/query">) =>
  queryOptions({ queryKey: ["explore", "instant", query], queryFn: ({ signal }) => data(api.GET("/api/v1/query", { signal, params: { query } })), staleTime: 60_000, retry: false });

export const probes = (query: Query<"/api/v1/probes">) =>
  queryOptions({ queryKey: ["probe", "list", query], queryFn: ({ signal }) => data(api.GET("/api/v1/probes", { signal, params: { query } })), placeholderData: keepPreviousData, refetchInterval: 30_000 });

export const probe = (name: string) =>
  queryOptions({ queryKey: ["probe", "one", name], queryFn: ({ signal }) => data(api.GET("/api/v1/probes/{name}", { signal, params: { path: { name } } })), refetchInterval: 30_000 });

export const probeSeries = (name: string, query: Query<"/api/v1/probes/{name}/series">) =>
  queryOptions({ queryKey: ["probe", "series", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/probes/{name}/series", { signal, params: { path: { name }, query } })), placeholderData: keepPreviousData });

export const probeResults = (name: string, query: Query<"/api/v1/probes/{name}/results">) =>
  infiniteQueryOptions({
    queryKey: ["probe", "results", name, query],
    queryFn: ({ signal, pageParam }) => data(api.GET("/api/v1/probes/{name}/results", { signal, params: { path: { name }, query: { ...query, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });

export const probeLocations = () => queryOptions({ queryKey: ["probe", "locations"], queryFn: ({ signal }) => data(api.GET("/api/v1/probe-locations", { signal })), refetchInterval: 30_000 });

export const channels = () => queryOptions({ queryKey: ["notify", "channels"], queryFn: ({ signal }) => data(api.GET("/api/v1/channels", { signal })) });

export const deliveries = (query: Query<"/api/v1/deliveries">) =>
  queryOptions({ queryKey: ["notify", "deliveries", query], queryFn: ({ signal }) => data(api.GET("/api/v1/deliveries", { signal, params: { query } })), placeholderData: keepPreviousData });

export const deliveryPages = (query: Query<"/api/v1/deliveries">) =>
  infiniteQueryOptions({
    queryKey: ["notify", "delivery-pages", query],
    queryFn: ({ signal, pageParam }) => data(api.GET("/api/v1/deliveries", { signal, params: { query: { ...query, cursor: pageParam || undefined } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });

export const delivery = (id: string) =>
  queryOptions({ queryKey: ["notify", "delivery", id], queryFn: ({ signal }) => data(api.GET("/api/v1/deliveries/{id}", { signal, params: { path: { id } } })) });

export const roles = (lang: string) => queryOptions({ queryKey: ["access", "roles", lang], queryFn: ({ signal }) => data(api.GET("/api/v1/roles", { signal })), staleTime: Infinity });

export const users = () => queryOptions({ queryKey: ["access", "users"], queryFn: ({ signal }) => data(api.GET("/api/v1/users", { signal, params: { query: { limit: 200 } } })) });

export const sessions = () => queryOptions({ queryKey: ["access", "sessions"], queryFn: ({ signal }) => data(api.GET("/api/v1/sessions", { signal })) });

export const tokens = () => queryOptions({ queryKey: ["access", "tokens"], queryFn: ({ signal }) => data(api.GET("/api/v1/tokens", { signal, params: { query: { limit: 200 } } })) });

export const system = () => queryOptions({ queryKey: ["system"], queryFn: ({ signal }) => data(api.GET("/api/v1/system", { signal })) });

export const schedules = () => queryOptions({ queryKey: ["oncall", "list"], queryFn: ({ signal }) => data(api.GET("/api/v1/schedules", { signal })), refetchInterval: 60_000 });

export const schedule = (name: string) =>
  queryOptions({ queryKey: ["oncall", "one", name], queryFn: ({ signal }) => data(api.GET("/api/v1/schedules/{name}", { signal, params: { path: { name } } })), refetchInterval: 60_000 });

export const scheduleShifts = (name: string, query: Query<"/api/v1/schedules/{name}/shifts">) =>
  queryOptions({ queryKey: ["oncall", "shifts", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/schedules/{name}/shifts", { signal, params: { path: { name }, query } })), placeholderData: keepPreviousData });

export const scheduleFairness = (name: string, query: Query<"/api/v1/schedules/{name}/fairness">) =>
  queryOptions({ queryKey: ["oncall", "fairness", name, query], queryFn: ({ signal }) => data(api.GET("/api/v1/schedules/{name}/fairness", { signal, params: { path: { name }, query } })), placeholderData: keepPreviousData });

/** What documents would change of the next 90 days. */
export const schedulePreview = (text: string) =>
  queryOptions({ queryKey: ["oncall", "preview", text], queryFn: ({ signal }) => data(api.POST("/api/v1/schedules/preview", { signal, body: { files: [{ name: "editor", data: text }] } })), retry: false, gcTime: 0 });

export const feeds = () => queryOptions({ queryKey: ["oncall", "feeds"], queryFn: ({ signal }) => data(api.GET("/api/v1/feeds", { signal })) });
