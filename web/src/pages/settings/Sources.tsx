import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { senders, sources, targets } from "../../api/queries";
import type { Source } from "../../api/types";
import { useFormat } from "../../format";
import { useChange } from "../../parts/mutation";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { SourceState } from "../../parts/Sources";
import { Ago } from "../../parts/Time";

export function Sources() {
  const query = useQuery(sources());
  const scraping = (query.data?.items ?? []).filter((s) => s.kind === "embedded");
  return (
    <>
      <SourceList query={query} />
      {scraping.map((s) => (
        <Targets key={s.name} name={s.name} />
      ))}
      {scraping.map((s) => (
        <Senders key={s.name} name={s.name} />
      ))}
    </>
  );
}

/** What the embedded store scrapes, those that do not answer first. */
function Targets({ name }: { name: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const query = useQuery(targets(name));
  const all = query.data?.items ?? [];
  const up = all.filter((x) => x.up).length;
  return (
    <Section title={t("targets.title")} note={query.data && t("targets.note", { up: f.number(up), all: f.number(all.length) })}>
      <Loaded query={query}>
        {() =>
          all.length === 0 ? (
            <Empty title={t("targets.none")}>{t("targets.noneWhat")}</Empty>
          ) : (
            <TableBox label={t("targets.title")}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col">{t("targets.job")}</th>
                    <th scope="col">{t("slo.status")}</th>
                    <th scope="col">{t("sources.url")}</th>
                    <th scope="col" className="num narrow-hide">
                      {t("targets.took")}
                    </th>
                    <th scope="col" className="narrow-hide">
                      {t("targets.last")}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {[...all]
                    .sort((a, b) => Number(a.up) - Number(b.up))
                    .map((x) => (
                      <tr key={x.job + x.url} data-tone={x.up ? undefined : "bad"}>
                        <td>{x.job}</td>
                        <td>
                          <SourceState status={x.up ? "ok" : "gone"} />
                          {x.lastError && <div className="sub">{x.lastError}</div>}
                        </td>
                        <td className="anywhere">
                          <code>{x.url}</code>
                        </td>
                        <td className="num narrow-hide">{f.duration(x.tookSeconds * 1000)}</td>
                        <td className="narrow-hide">
                          <Ago at={x.lastAt} />
                        </td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </TableBox>
          )
        }
      </Loaded>
    </Section>
  );
}

/** Who sends metrics to the embedded store, and how that goes. */
function Senders({ name }: { name: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const query = useQuery(senders(name));
  const all = query.data?.items ?? [];
  return (
    <Section title={t("senders.title")} note={t("senders.note")}>
      <Loaded query={query}>
        {() =>
          all.length === 0 ? (
            <Empty title={t("senders.none")}>{t("senders.noneWhat")}</Empty>
          ) : (
            <TableBox label={t("senders.title")}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col">{t("senders.sender")}</th>
                    <th scope="col">{t("slo.status")}</th>
                    <th scope="col">{t("senders.last")}</th>
                    <th scope="col" className="num narrow-hide">
                      {t("senders.lag")}
                    </th>
                    <th scope="col" className="num narrow-hide">
                      {t("senders.samples")}
                    </th>
                    <th scope="col" className="num narrow-hide">
                      {t("senders.refused")}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {all.map((x) => (
                    <tr key={x.token + x.address + x.agent + x.protocol} data-tone={x.state === "ok" ? undefined : "bad"}>
                      <td>
                        {x.token}
                        <div className="sub anywhere">
                          {x.protocol} · {x.address} · {x.agent}
                        </div>
                      </td>
                      <td>
                        <span className="status" data-tone={x.state === "ok" ? "good" : "warn"}>
                          {t(`sender.${x.state}`)}
                        </span>
                        {x.state === "refused" && <div className="sub anywhere">{x.lastError}</div>}
                        {x.state === "clashing" && (
                          <div className="sub anywhere">
                            {t("senders.clash")} <code>{x.clash}</code>
                          </div>
                        )}
                      </td>
                      <td>
                        <Ago at={x.lastAt} />
                      </td>
                      <td className="num narrow-hide">{f.duration(x.lagSeconds * 1000)}</td>
                      <td className="num narrow-hide">{f.number(x.samples)}</td>
                      <td className="num narrow-hide">{f.number(x.refused)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableBox>
          )
        }
      </Loaded>
    </Section>
  );
}

function SourceList({ query }: { query: UseQueryResult<{ items: Source[] }> }) {
  const { t } = useTranslation();
  return (
    <Section title={t("settings.sources")} note={t("sources.note")}>
      <Loaded query={query}>
        {(data) =>
          data.items?.length ? (
            <SourceTable sources={data.items} />
          ) : (
            <Empty title={t("sources.none")}>
              {t("sources.noneWhat")} <code>teiten apply datasource.yaml</code>
            </Empty>
          )
        }
      </Loaded>
    </Section>
  );
}

function SourceTable({ sources: list }: { sources: Source[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <TableBox label={t("settings.sources")}>
      <table className="t mid">
        <thead>
          <tr>
            <th scope="col">{t("sources.name")}</th>
            <th scope="col">{t("slo.status")}</th>
            <th scope="col" className="narrow-hide">
              {t("sources.url")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("sources.latency")}
            </th>
            <th scope="col" className="narrow-hide">
              {t("source.lastOK")}
            </th>
            <th scope="col">{t("actions")}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((s) => (
            <tr key={s.name} data-tone={s.status === "gone" || s.status === "misconfigured" || s.status === "full" ? "bad" : s.status === "slow" ? "warn" : undefined}>
              <td>
                {s.title || s.name} {s.default && <span className="tag">{t("sources.default")}</span>}
                <div className="sub">
                  {[s.title && s.name, s.kind, s.exact ? t("slo.exact") : t("slo.approximate")].filter(Boolean).join(" · ")}
                </div>
              </td>
              <td>
                <SourceState status={s.status} />
                {s.lastError && <div className="sub">{s.lastError}</div>}
              </td>
              <td className="narrow-hide anywhere">{s.url ? <code>{s.url}</code> : <span className="dim">{t("sources.builtin")}</span>}</td>
              <td className="num narrow-hide">{s.latencySeconds > 0 ? f.duration(s.latencySeconds * 1000) : "–"}</td>
              <td className="narrow-hide">
                <Ago at={s.lastOkAt} />
              </td>
              <td>
                <TestButton name={s.name} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function TestButton({ name }: { name: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const test = useChange(["metrics"], () => api.POST("/api/v1/sources/{name}/test", { params: { path: { name } } }));
  const result = test.data?.data;
  return (
    <div>
      <button className="smallbtn" disabled={test.isPending} onClick={() => test.mutate(undefined)} aria-label={t("sources.testOf", { name })}>
        {test.isPending ? t("channels.testing") : t("sources.test")}
      </button>
      <div role="status" className="small">
        {result && (result.status === "ok" ? t("sources.answered", { time: f.duration(result.latencySeconds * 1000) }) : result.lastError)}
      </div>
      {test.isError && <Failed error={test.error} />}
    </div>
  );
}
