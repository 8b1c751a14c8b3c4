import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { exclusions, me } from "../../api/queries";
import type { Exclusion, Excluded, SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { zoneName } from "../../format/time";
import { useSay } from "../../i18n";
import { Dialog } from "../../parts/Dialog";
import { useChange } from "../../parts/mutation";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";

/** Time that does not count for an SLO: planned and after the fact, with who said so and why. */
export function Exclusions({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const query = useQuery(exclusions({ slo: slo.name, limit: 50 }));
  const who = useQuery(me());
  const mayWrite = !!who.data && (who.data.scopes?.includes("slo:write") || !!who.data.teams?.length);
  return (
    <>
      <Loaded query={query} lines={2}>
        {(data) => (data.items?.length ? <ExclusionTable items={data.items} mayWrite={mayWrite} /> : <Empty title={t("exclusion.none")}>{t("exclusion.noneWhat")}</Empty>)}
      </Loaded>
      {mayWrite && <AddExclusion slo={slo.name} />}
    </>
  );
}

function ExclusionTable({ items, mayWrite }: { items: Exclusion[]; mayWrite: boolean }) {
  const { t } = useTranslation();
  const say = useSay();
  return (
    <TableBox label={t("exclusion.title")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("exclusion.when")}</th>
            <th scope="col">{t("rule.state")}</th>
            <th scope="col">{t("exclusion.why")}</th>
            <th scope="col" className="narrow-hide">
              {t("exclusion.by")}
            </th>
            {mayWrite && <th scope="col">{t("actions")}</th>}
          </tr>
        </thead>
        <tbody>
          {items.map((x) => (
            <tr key={x.id} className={x.takenBack && "dim"}>
              <td>
                <span className="sentence">{say(x.when)}</span>
                {x.next && (
                  <div className="sub">
                    {t("exclusion.next")} <At at={x.next.from} short />
                  </div>
                )}
              </td>
              <td className="nowrap">{x.now ? <strong>{t("exclusion.now")}</strong> : t(`exclusionState.${x.state}`)}</td>
              <td>
                <span className="anywhere">{x.reason}</span>
                {x.document && (
                  <div className="sub">
                    MaintenanceWindow <code>{x.document}</code>
                  </div>
                )}
                {x.takenBack && (
                  <div className="sub">
                    {t("exclusion.takenBack", { name: x.takenBack.by.name || x.takenBack.by.id })} <At at={x.takenBack.at} short />: {x.takenBack.why}
                  </div>
                )}
              </td>
              <td className="narrow-hide">
                {x.createdBy.name || x.createdBy.id}
                <div className="sub">
                  <At at={x.createdAt} short />
                </div>
              </td>
              {mayWrite && <td>{x.origin === "correction" && !x.takenBack && <TakeBack id={x.id} when={say(x.when)} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function TakeBack({ id, when }: { id: string; when: string }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState("");
  const change = useChange(["slo"], () => api.DELETE("/api/v1/exclusions/{id}", { params: { path: { id }, query: { why: why.trim() } } }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    change.mutate(undefined, { onSuccess: () => setAsking(false) });
  };
  return (
    <>
      <button className="smallbtn danger" onClick={() => setAsking(true)}>
        {t("exclusion.takeBack")}
      </button>
      <Dialog opened={asking} onClose={() => setAsking(false)} title={t("exclusion.takeBackTitle")}>
        <form onSubmit={submit} className="section">
          <p className="sentence">{when}</p>
          <p className="small dim">{t("exclusion.takeBackWhat")}</p>
          <label className="field">
            {t("exclusion.takeBackWhy")}
            <textarea data-autofocus rows={2} required minLength={3} maxLength={1000} value={why} onChange={(e) => setWhy(e.target.value)} />
          </label>
          {change.isError && <Failed error={change.error} />}
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" className="smallbtn" onClick={() => setAsking(false)}>
              {t("cancel")}
            </button>
            <button className="smallbtn danger" disabled={change.isPending}>
              {t("exclusion.takeBack")}
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

interface Wish {
  from: string;
  to: string;
  reason: string;
}

/** Asks what it would change first; the second press makes it so. */
function AddExclusion({ slo }: { slo: string }) {
  const { t } = useTranslation();
  const [wish, setWish] = useState<Wish>({ from: "", to: "", reason: "" });
  const [told, setTold] = useState<Excluded>();
  const body = () => ({ slo, from: new Date(wish.from).toISOString(), to: new Date(wish.to).toISOString(), reason: wish.reason.trim() });
  const look = useChange([], () => api.POST("/api/v1/exclusions", { body: { ...body(), dryRun: true } }));
  const make = useChange(["slo"], () => api.POST("/api/v1/exclusions", { body: { ...body(), confirm: told?.confirm } }));
  const set = (change: Partial<Wish>) => {
    setWish({ ...wish, ...change });
    setTold(undefined);
    make.reset();
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (told) make.mutate(undefined, { onSuccess: () => set({ from: "", to: "", reason: "" }) });
    else look.mutate(undefined, { onSuccess: (answer) => setTold(answer.data) });
  };
  return (
    <details className="fold boxed">
      <summary>{t("exclusion.add")}</summary>
      <form onSubmit={submit} className="section" style={{ marginTop: "0.625rem" }}>
        <p className="small dim">{t("exclusion.addWhat")}</p>
        <div className="filters">
          <label className="field">
            {t("exclusion.from", { zone: zoneName() })}
            <input type="datetime-local" required value={wish.from} onChange={(e) => set({ from: e.target.value })} />
          </label>
          <label className="field">
            {t("exclusion.to")}
            <input type="datetime-local" required min={wish.from || undefined} value={wish.to} onChange={(e) => set({ to: e.target.value })} />
          </label>
          <label className="field" style={{ flex: "1 1 16rem" }}>
            {t("exclusion.reason")}
            <input required minLength={3} maxLength={1000} value={wish.reason} onChange={(e) => set({ reason: e.target.value })} />
          </label>
        </div>
        {told && <Hides told={told} />}
        {(look.isError || make.isError) && <Failed error={make.error ?? look.error} />}
        {make.isSuccess && !told && <p role="status">{t("exclusion.made")}</p>}
        <div className="row">
          <button className={told ? "smallbtn danger" : "smallbtn main"} disabled={look.isPending || make.isPending}>
            {told ? (told.confirm ? t("exclusion.confirm") : t("exclusion.do")) : t("exclusion.look")}
          </button>
        </div>
      </form>
    </details>
  );
}

/** What an exclusion would change about present budgets. */
function Hides({ told }: { told: Excluded }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <div className="banner" data-tone={told.confirm ? "warn" : undefined} role="status">
      <div className="title">{told.confirm ? t("exclusion.much") : t("exclusion.changes")}</div>
      {told.hides?.length ? (
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("slo.slo")}</th>
              <th scope="col" className="num">
                {t("exclusion.minutes")}
              </th>
              <th scope="col" className="num">
                {t("query.bad")}
              </th>
              <th scope="col" className="num">
                {t("slo.budgetLeft")}
              </th>
            </tr>
          </thead>
          <tbody>
            {told.hides.map((h) => (
              <tr key={h.slo}>
                <td>
                  <Link to="/slos/$name" params={{ name: h.slo }}>
                    {h.slo}
                  </Link>
                </td>
                <td className="num">{f.number(h.minutes)}</td>
                <td className="num">{f.number(h.bad)}</td>
                <td className="num">
                  {f.budget(h.budgetLeftBefore)} → <b>{f.budget(h.budgetLeftAfter)}</b>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <div>{t("exclusion.nothing")}</div>
      )}
    </div>
  );
}
