import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me } from "../../api/queries";
import type { Schedule, Swap } from "../../api/types";
import { Dialog } from "../../parts/Dialog";
import { useChange } from "../../parts/mutation";
import { Empty, Failed } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { instantOf, localNow, PersonField, RoleField, TimeFields } from "./fields";
import { Span } from "./parts";

/** What people ask of one another. */
export function Swaps({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const who = useQuery(me());
  const may = !!who.data?.scopes?.includes("oncall:write") && (schedule.owns || !!schedule.me);
  return (
    <Section title={t("oncall.swaps")} note={t("oncall.swapsNote")} more={may && <Ask schedule={schedule} />}>
      {schedule.swaps?.length ? <Table schedule={schedule} items={schedule.swaps} may={may} /> : <Empty title={t("oncall.noSwaps")}>{t("oncall.noSwapsWhat")}</Empty>}
    </Section>
  );
}

type Word = "accept" | "decline" | "withdraw";

function Table({ schedule, items, may }: { schedule: Schedule; items: Swap[]; may: boolean }) {
  const { t } = useTranslation();
  const settle = useChange(["oncall"], async ({ id, word }: { id: string; word: Word }) => {
    const params = { params: { path: { id } } };
    if (word === "accept") return api.POST("/api/v1/swaps/{id}/accept", params);
    if (word === "decline") return api.POST("/api/v1/swaps/{id}/decline", params);
    return api.POST("/api/v1/swaps/{id}/withdraw", params);
  });
  const name = (id: string) => schedule.people?.find((p) => p.id === id)?.name ?? id;
  const words = (s: Swap): Word[] => {
    if (!may || s.state !== "requested") return [];
    if (schedule.owns) return ["accept", "decline", "withdraw"];
    return s.asked === schedule.me ? ["accept", "decline"] : s.asker === schedule.me ? ["withdraw"] : [];
  };
  return (
    <>
      {settle.isError && <Failed error={settle.error} />}
      <TableBox label={t("oncall.swaps")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("oncall.when")}</th>
              <th scope="col">{t("oncall.who")}</th>
              <th scope="col">{t("rule.state")}</th>
              <th scope="col">{t("actions")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((s) => (
              <tr key={s.id}>
                <td>
                  <Span from={s.from} to={s.to} zone={schedule.timeZone} />
                  {s.back && (
                    <div className="sub">
                      {t("oncall.inReturn", { asker: name(s.asker) })}: <Span from={s.back.from} to={s.back.to} zone={schedule.timeZone} />
                    </div>
                  )}
                </td>
                <td>
                  {t("oncall.asks", { asker: name(s.asker), asked: name(s.asked) })}
                  {s.reason && <div className="sub anywhere">{s.reason}</div>}
                </td>
                <td>{t(`swapState.${s.state}`)}</td>
                <td>
                  <span className="row">
                    {words(s).map((word) => (
                      <button key={word} className={word === "accept" ? "smallbtn main" : "smallbtn"} disabled={settle.isPending} onClick={() => settle.mutate({ id: s.id, word })}>
                        {t(`oncall.${word}`)}
                      </button>
                    ))}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

function Ask({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const begin = () => {
    const asker = schedule.me && schedule.people?.some((p) => p.id === schedule.me) ? schedule.me : (schedule.people?.[0]?.id ?? "");
    return { asker, asked: schedule.people?.find((p) => p.id !== asker)?.id ?? "", role: "primary", from: localNow(schedule.timeZone, 0), to: localNow(schedule.timeZone, 1), reason: "" };
  };
  const [wish, setWish] = useState(begin);
  const ask = useChange(["oncall"], () =>
    api.POST("/api/v1/schedules/{name}/swaps", {
      params: { path: { name: schedule.name } },
      body: { asker: wish.asker, asked: wish.asked, role: wish.role as Swap["role"], from: instantOf(wish.from, schedule.timeZone), to: instantOf(wish.to, schedule.timeZone), reason: wish.reason.trim() || undefined },
    }),
  );
  const set = (change: Partial<typeof wish>) => setWish({ ...wish, ...change });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    ask.mutate(undefined, { onSuccess: () => setOpened(false) });
  };
  return (
    <>
      <button className="smallbtn" onClick={() => (setWish(begin()), ask.reset(), setOpened(true))}>
        {t("oncall.swap")}
      </button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={t("oncall.swap")}>
        <form className="section" onSubmit={submit}>
          <p className="small dim">{t("oncall.swapWhat")}</p>
          <div className="filters">
            <PersonField schedule={schedule} label={t("oncall.asker")} value={wish.asker} onChange={(asker) => set({ asker })} only={schedule.owns ? undefined : schedule.me} />
            <PersonField schedule={schedule} label={t("oncall.asked")} value={wish.asked} onChange={(asked) => set({ asked })} />
            <RoleField value={wish.role} onChange={(role) => set({ role })} />
          </div>
          <TimeFields zone={schedule.timeZone} from={wish.from} to={wish.to} onChange={set} />
          <label className="field">
            {t("oncall.reason")}
            <input maxLength={1000} value={wish.reason} onChange={(e) => set({ reason: e.target.value })} />
          </label>
          {ask.isError && <Failed error={ask.error} />}
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" className="smallbtn" onClick={() => setOpened(false)}>
              {t("cancel")}
            </button>
            <button className="smallbtn main" disabled={ask.isPending}>
              {t("oncall.swap")}
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
