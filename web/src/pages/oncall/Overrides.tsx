import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me } from "../../api/queries";
import type { Override, Schedule } from "../../api/types";
import { ConfirmButton } from "../../parts/Confirm";
import { Dialog } from "../../parts/Dialog";
import { useChange } from "../../parts/mutation";
import { Empty, Failed } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { instantOf, localNow, PersonField, RoleField, TimeFields } from "./fields";
import { Span } from "./parts";

/** What people changed for a time. */
export function Overrides({ schedule, items }: { schedule: Schedule; items: Override[] }) {
  const { t } = useTranslation();
  const who = useQuery(me());
  const may = !!who.data?.scopes?.includes("oncall:write") && (schedule.owns || !!schedule.me);
  return (
    <Section title={t("oncall.overrides")} note={t("oncall.overridesNote")} more={may && <Add schedule={schedule} />}>
      {items.length ? <Table schedule={schedule} items={items} /> : <Empty title={t("oncall.noOverrides")}>{t("oncall.noOverridesWhat")}</Empty>}
    </Section>
  );
}

function Table({ schedule, items }: { schedule: Schedule; items: Override[] }) {
  const { t } = useTranslation();
  const end = useChange(["oncall"], (id: string) => api.DELETE("/api/v1/overrides/{id}", { params: { path: { id } } }));
  const name = (id: string | undefined) => schedule.people?.find((p) => p.id === id)?.name ?? id;
  const mine = (o: Override) => schedule.owns || (!!schedule.me && [o.person, o.instead].includes(schedule.me));
  return (
    <>
      {end.isError && <Failed error={end.error} />}
      <TableBox label={t("oncall.overrides")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("oncall.when")}</th>
              <th scope="col">{t("oncall.what")}</th>
              <th scope="col" className="narrow-hide">
                {t("oncall.by")}
              </th>
              <th scope="col">{t("actions")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((o) => (
              <tr key={o.id} className={o.endedAt && "dim"}>
                <td>
                  <Span from={o.from} to={o.to} zone={schedule.timeZone} />
                </td>
                <td>
                  {name(o.person)} <span className="dim">{t(`oncall.change.${o.change}`)}</span> {o.instead && <span className="dim">← {name(o.instead)}</span>}
                  {o.role !== "primary" && <span className="tag"> {t(`oncall.role.${o.role}`)}</span>}
                  {o.reason && <div className="sub anywhere">{o.reason}</div>}
                  {o.endedBy && <div className="sub">{t("oncall.takenBack", { name: o.endedBy.name })}</div>}
                </td>
                <td className="narrow-hide">{o.createdBy.name}</td>
                <td>
                  {!o.endedAt && Date.parse(o.to) > Date.now() && mine(o) && (
                    <ConfirmButton label={t("oncall.takeBack")} title={t("oncall.takeBackTitle")} busy={end.isPending} onConfirm={() => end.mutate(o.id)}>
                      {t("oncall.takeBackWhat")}
                    </ConfirmButton>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

function Add({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const begin = () => ({ change: "replace", role: "primary", person: schedule.me ?? schedule.people?.[0]?.id ?? "", instead: "", from: localNow(schedule.timeZone, 0), to: localNow(schedule.timeZone, 1), reason: "" });
  const [wish, setWish] = useState(begin);
  const add = useChange(["oncall"], () => {
    const { change, role, person, instead, from, to, reason } = wish;
    return api.POST("/api/v1/schedules/{name}/overrides", {
      params: { path: { name: schedule.name } },
      body: { change: change as Override["change"], role: role as Override["role"], person, instead: change === "replace" && instead ? instead : undefined, from: instantOf(from, schedule.timeZone), to: instantOf(to, schedule.timeZone), reason: reason.trim() || undefined },
    });
  });
  const set = (change: Partial<typeof wish>) => setWish({ ...wish, ...change });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    add.mutate(undefined, { onSuccess: () => setOpened(false) });
  };
  const changes = schedule.owns ? (["replace", "add", "remove"] as const) : (["replace", "add"] as const);
  return (
    <>
      <button className="smallbtn" onClick={() => (setWish(begin()), add.reset(), setOpened(true))}>
        {t("oncall.override")}
      </button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={t("oncall.override")}>
        <form className="section" onSubmit={submit}>
          <p className="small dim">{t("oncall.overrideWhat")}</p>
          <div className="filters">
            <PersonField schedule={schedule} label={t("oncall.who")} value={wish.person} onChange={(person) => set({ person })} only={schedule.owns ? undefined : schedule.me} />
            <label className="field">
              {t("oncall.what")}
              <select value={wish.change} onChange={(e) => set({ change: e.target.value })}>
                {changes.map((c) => (
                  <option key={c} value={c}>
                    {t(`oncall.change.${c}`)}
                  </option>
                ))}
              </select>
            </label>
            {wish.change === "replace" && <PersonField schedule={schedule} label={t("oncall.instead")} any={t("oncall.everybody")} value={wish.instead} onChange={(instead) => set({ instead })} />}
            <RoleField value={wish.role} onChange={(role) => set({ role })} />
          </div>
          <TimeFields zone={schedule.timeZone} from={wish.from} to={wish.to} onChange={set} />
          <label className="field">
            {t("oncall.reason")}
            <input maxLength={1000} value={wish.reason} onChange={(e) => set({ reason: e.target.value })} />
          </label>
          {add.isError && <Failed error={add.error} />}
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" className="smallbtn" onClick={() => setOpened(false)}>
              {t("cancel")}
            </button>
            <button className="smallbtn main" disabled={add.isPending}>
              {t("oncall.override")}
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
