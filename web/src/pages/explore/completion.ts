import type { PrometheusClient } from "@prometheus-io/codemirror-promql/dist/esm/client/prometheus";
import { api } from "../../api/client";

/** How many names are proposed at a time. */
const limit = 1000;
/** How long what a source holds is taken for granted. */
const fresh = 60_000;

/** Names for the editor to propose, asked of one data source through our own API. What fails proposes nothing. */
export function completionFrom(source: string | undefined): PrometheusClient {
  const kept = new Map<string, { at: number; answer: Promise<string[]> }>();
  const once = (key: string, ask: () => Promise<string[]>) => {
    const old = kept.get(key);
    if (old && Date.now() - old.at < fresh) return old.answer;
    const answer = ask().catch(() => []);
    kept.set(key, { at: Date.now(), answer });
    return answer;
  };
  const metrics = async () => (await api.GET("/api/v1/query/metrics", { params: { query: { source, limit } } })).data?.items ?? [];
  const metricNames = () => once("metrics", async () => (await metrics()).map((m) => m.name));
  return {
    metricNames,
    labelNames: (metric) => once(`labels ${metric}`, async () => (await api.GET("/api/v1/query/labels", { params: { query: { source, match: metric || undefined, limit } } })).data?.items ?? []),
    labelValues: (label, metric) =>
      label === "__name__"
        ? metricNames()
        : once(`values ${label} ${metric}`, async () => (await api.GET("/api/v1/query/labels/{label}/values", { params: { path: { label }, query: { source, match: metric || undefined, limit } } })).data?.items ?? []),
    metricMetadata: async () => Object.fromEntries((await metrics().catch(() => [])).map((m) => [m.name, [{ type: m.type ?? "", help: m.help ?? "" }]])),
    series: async () => [],
    flags: async () => ({}),
  };
}
