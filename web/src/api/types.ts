import type { paths } from "./schema";

type Answer<P extends keyof paths, M extends "get" | "post"> = paths[P] extends Record<M, { responses: { 200: { content: { "application/json": infer R } } } }> ? R : paths[P] extends Record<M, { responses: { 201: { content: { "application/json": infer S } } } }> ? S : never;
type Inner<T> = NonNullable<T> extends (infer I)[] ? I : never;
type Item<T> = T extends { items: infer L } ? Inner<L> : never;

// Names for what the API answers, taken from its paths so that they follow it.
export type Me = Answer<"/api/v1/me", "get">;
export type User = Item<Answer<"/api/v1/users", "get">>;
export type Session = Item<Answer<"/api/v1/sessions", "get">>;
export type Token = Item<Answer<"/api/v1/tokens", "get">>;
export type Entry = Item<Answer<"/api/v1/journal", "get">>;
export type Seal = Item<Answer<"/api/v1/journal/seals", "get">>;
export type Verification = Answer<"/api/v1/journal/verify", "post">;
export type Service = Item<Answer<"/api/v1/services", "get">>;
export type ServiceDetail = Answer<"/api/v1/services/{name}", "get">;
export type Dependency = Inner<ServiceDetail["dependsOn"]>;
export type Team = Item<Answer<"/api/v1/teams", "get">>;
export type SLO = Item<Answer<"/api/v1/slos", "get">>;
export type SLODetail = Answer<"/api/v1/slos/{name}", "get">;
export type AlertRule = Inner<SLODetail["alertRules"]>;
export type SLOCount = Item<Answer<"/api/v1/slos/counts", "get">>;
export type Budgets = Answer<"/api/v1/slos/budgets", "get">;
export type Replay = Answer<"/api/v1/slos/{name}/replay", "post">;
export type Suggestion = Answer<"/api/v1/slos/{name}/replay/suggest", "get">;
export type Exclusion = Item<Answer<"/api/v1/exclusions", "get">>;
export type Excluded = Answer<"/api/v1/exclusions", "post">;
export type Series = Answer<"/api/v1/slos/{name}/series", "get">;
export type Alert = Item<Answer<"/api/v1/alerts", "get">>;
export type Source = Item<Answer<"/api/v1/sources", "get">>;
export type Probe = Item<Answer<"/api/v1/probes", "get">>;
export type ProbeDetail = Answer<"/api/v1/probes/{name}", "get">;
export type ProbeResult = Item<Answer<"/api/v1/probes/{name}/results", "get">>;
export type ProbeStep = Inner<ProbeResult["steps"]>;
export type QueryResult = Answer<"/api/v1/query", "get">;
export type Channel = Item<Answer<"/api/v1/channels", "get">>;
export type Delivery = Item<Answer<"/api/v1/deliveries", "get">>;
export type System = Answer<"/api/v1/system", "get">;
export type Status = SLO["status"];
