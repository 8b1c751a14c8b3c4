import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { channels, deliveryPages } from "../../api/queries";
import type { Channel, Delivery } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Choice } from "../../parts/Filters";
import { DeliveryState } from "../../parts/DeliveryState";
import { Managed } from "../../parts/Managed";
import { useChange } from "../../parts/mutation";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { RefLink } from "../../parts/Ref";
import { Section, TableBox } from "../../parts/Section";
import { Ago, At } from "../../parts/Time";

export function Channels() {
  const { t } = useTranslation();
  const query = useQuery(channels());
  return (
    <>
      <Section title={t("settings.channels")} note={t("channels.note")}>
        <Loaded query={query}>
          {(data) =>
            data.items?.length ? (
              <ChannelTable channels={data.items} />
            ) : (
              <Empty title={t("channels.none")}>
                {t("channels.noneWhat")} <code>teiten apply -f channels.yaml</code>
              </Empty>
            )
          }
        </Loaded>
      </Section>
      <DeliveryLog channels={query.data?.items ?? []} />
    </>
  );
}

function ChannelTable({ channels: list }: { channels: Channel[] }) {
  const { t } = useTranslation();
  return (
    <TableBox label={t("settings.channels")}>
      <table className="t mid">
        <thead>
          <tr>
            <th scope="col">{t("channels.name")}</th>
            <th scope="col">{t("channels.kind")}</th>
            <th scope="col" className="narrow-hide">
              {t("channels.target")}
            </th>
            <th scope="col" className="narrow-hide">
              {t("channels.last")}
            </th>
            <th scope="col">{t("actions")}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((c) => (
            <tr key={c.name}>
              <td>
                {c.title || c.name} {!c.enabled && <span className="tag">{t("channels.off")}</span>}
                <div className="sub">
                  <Managed by={c.managedBy} />
                </div>
              </td>
              <td>{t(`channels.${c.kind as "webhook"}`, { defaultValue: c.kind })}</td>
              <td className="narrow-hide anywhere">
                <code>{c.target}</code>
              </td>
              <td className="narrow-hide">
                {c.lastDelivery ? (
                  <>
                    <DeliveryState state={c.lastDelivery.state} /> <Ago at={c.lastDelivery.at} />
                  </>
                ) : (
                  <span className="dim">{t("never")}</span>
                )}
              </td>
              <td>
                <TestButton name={c.name} />
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
  const test = useChange(["notify"], () => api.POST("/api/v1/channels/{name}/test", { params: { path: { name } } }));
  return (
    <div>
      <button className="smallbtn" disabled={test.isPending} onClick={() => test.mutate(undefined)} aria-label={t("channels.testOf", { name })}>
        {test.isPending ? t("channels.testing") : t("channels.test")}
      </button>
      <div role="status" className="small">
        {test.isSuccess && t("channels.testSent")}
      </div>
      {test.isError && <Failed error={test.error} />}
    </div>
  );
}

const states = ["queued", "retrying", "delivered", "failed"] as const;

function DeliveryLog({ channels: list }: { channels: Channel[] }) {
  const { t } = useTranslation();
  const [channel, setChannel] = useState<string>();
  const [state, setState] = useState<string>();
  const query = useInfiniteQuery(deliveryPages({ channel, state, limit: 50 }));
  const rows = query.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  return (
    <Section title={t("deliveries.title")} note={t("deliveries.note")}>
      <div className="filters">
        <Choice label={t("channels.name")} value={channel} any={t("filter.any")} options={list.map((c) => [c.name, c.title || c.name])} onChange={setChannel} />
        <Choice label={t("slo.status")} value={state} any={t("filter.any")} options={states.map((s) => [s, t(`delivery.${s}`)])} onChange={setState} />
      </div>
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.data &&
        (rows.length === 0 ? (
          <Empty title={t("now.noDeliveries")}>{t("now.noDeliveriesWhat")}</Empty>
        ) : (
          <TableBox label={t("deliveries.title")}>
            <table className="t">
              <thead>
                <tr>
                  <th scope="col">{t("activity.when")}</th>
                  <th scope="col">{t("slo.status")}</th>
                  <th scope="col">{t("deliveries.message")}</th>
                  <th scope="col" className="narrow-hide">
                    {t("deliveries.attempts")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((d) => (
                  <DeliveryRow key={d.id} delivery={d} />
                ))}
              </tbody>
            </table>
          </TableBox>
        ))}
      {query.hasNextPage && (
        <div>
          <button className="smallbtn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("activity.older")}
          </button>
        </div>
      )}
    </Section>
  );
}

function DeliveryRow({ delivery: d }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const say = useSay();
  return (
    <tr>
      <td>
        <At at={d.createdAt} short />
      </td>
      <td>
        <DeliveryState state={d.state} />
        {d.nextAttemptAt && d.state !== "delivered" && (
          <div className="sub">
            {t("deliveries.next")} <Ago at={d.nextAttemptAt} />
          </div>
        )}
      </td>
      <td className="anywhere">
        {say(d.title)}
        <div className="sub">
          {d.channel} · <RefLink refText={d.subject} />
        </div>
      </td>
      <td className="narrow-hide">
        <Attempts delivery={d} />
      </td>
    </tr>
  );
}

function Attempts({ delivery: d }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const f = useFormat();
  const attempts = d.attempts ?? [];
  return (
    <details>
      <summary>{t("deliveries.attemptsN", { count: attempts.length })}</summary>
      <ol style={{ margin: 0, paddingLeft: "1.25rem" }}>
        {attempts.map((a) => (
          <li key={a.at}>
            <At at={a.at} short /> {a.ok ? t("deliveries.ok") : t("deliveries.bad")} {a.status ? `HTTP ${a.status}` : ""} <span className="dim">{f.duration(a.durationMs)}</span> <span className="anywhere">{a.error}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}
