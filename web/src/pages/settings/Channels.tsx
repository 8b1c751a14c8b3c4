import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { channels, delivery as deliveryQuery, deliveryPages } from "../../api/queries";
import type { Channel, Delivery } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Choice } from "../../parts/Filters";
import { DeliveryState } from "../../parts/DeliveryState";
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
                {t("channels.noneWhat")} <code>teiten apply channels.yaml</code>
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
                {c.title || c.name}
                <div className="sub">{[c.title && c.name, c.owner, c.description].filter(Boolean).join(" · ")}</div>
              </td>
              <td>{t(`channelKind.${c.type}`)}</td>
              <td className="narrow-hide anywhere">
                <code>{c.receiver}</code>
              </td>
              <td className="narrow-hide">
                <Health health={c.health} />
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

const healthTone = { ok: "ok", unused: "none", failing: "warn", away: "bad" } as const;

function Health({ health: h }: { health: Channel["health"] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <>
      <span className="status" data-tone={healthTone[h.state]}>
        {t(`channels.health.${h.state}`)}
      </span>{" "}
      {h.lastDeliveredAt && <Ago at={h.lastDeliveredAt} />}
      {h.lastError && <div className="sub">{say(h.lastError)}</div>}
      {h.pending > 0 && <div className="sub">{t("channels.pending", { count: h.pending, number: f.number(h.pending) })}</div>}
    </>
  );
}

function TestButton({ name }: { name: string }) {
  const { t } = useTranslation();
  const say = useSay();
  const test = useChange(["notify"], () => api.POST("/api/v1/channels/{name}/test", { params: { path: { name } } }));
  const result = test.data?.data;
  return (
    <div>
      <button className="smallbtn" disabled={test.isPending} onClick={() => test.mutate(undefined)} aria-label={t("channels.testOf", { name })}>
        {test.isPending ? t("channels.testing") : t("channels.test")}
      </button>
      <div role="status" className="small">
        {result && (result.ok ? t("channels.testSent") : result.results.map((r) => say(r.attempt.error) || r.attempt.outcome).join(" "))}
      </div>
      {test.isError && <Failed error={test.error} />}
    </div>
  );
}

const states = ["pending", "delivered", "failed", "nobody", "withdrawn"] as const;
type State = (typeof states)[number];

function DeliveryLog({ channels: list }: { channels: Channel[] }) {
  const { t } = useTranslation();
  const [channel, setChannel] = useState<string>();
  const [state, setState] = useState<State>();
  const query = useInfiniteQuery(deliveryPages({ channel, state: state && [state], limit: 50 }));
  const rows = query.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  return (
    <Section title={t("deliveries.title")} note={t("deliveries.note")}>
      <div className="filters">
        <Choice label={t("channels.name")} value={channel} any={t("filter.any")} options={list.map((c) => [c.name, c.title || c.name])} onChange={setChannel} />
        <Choice label={t("slo.status")} value={state} any={t("filter.any")} options={states.map((s) => [s, t(`delivery.${s}`)])} onChange={(s) => setState(s as State | undefined)} />
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
        <DeliveryState delivery={d} />
        {d.nextAt && d.state === "pending" && (
          <div className="sub">
            {t("deliveries.next")} <Ago at={d.nextAt} />
          </div>
        )}
      </td>
      <td className="anywhere">
        {say(d.title)}
        <div className="sub">
          {[d.channel, d.recipient].filter(Boolean).join(" · ")} · <RefLink refText={d.subject} />
        </div>
        <div className="narrow-only small">
          <Attempts delivery={d} />
        </div>
      </td>
      <td className="narrow-hide">
        <Attempts delivery={d} />
      </td>
    </tr>
  );
}

/** Every attempt with what the receiver answered, fetched when opened. */
function Attempts({ delivery: d }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  if (d.attempts === 0) return <span className="dim">{t("deliveries.attemptsN", { count: 0 })}</span>;
  return (
    <details onToggle={(e) => setOpened(e.currentTarget.open)}>
      <summary>{t("deliveries.attemptsN", { count: d.attempts })}</summary>
      {opened && <Tries id={d.id} />}
    </details>
  );
}

function Tries({ id }: { id: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const query = useQuery(deliveryQuery(id));
  return (
    <Loaded query={query} lines={2}>
      {(d) => (
        <ol style={{ margin: 0, paddingLeft: "1.25rem" }}>
          {d.tries.map((a) => (
            <li key={a.number}>
              <At at={a.startedAt} short /> {t(`outcome.${a.outcome}`)} {a.code ? `HTTP ${a.code}` : ""}{" "}
              {a.finishedAt && <span className="dim">{f.duration(Date.parse(a.finishedAt) - Date.parse(a.startedAt))}</span>} <span className="anywhere">{say(a.error) || a.answer}</span>
            </li>
          ))}
        </ol>
      )}
    </Loaded>
  );
}
