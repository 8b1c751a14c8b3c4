import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { agreements, me } from "../../api/queries";
import type { Agreement, SLODetail, Stakeholder } from "../../api/types";
import { useSay } from "../../i18n";
import { Dialog } from "../../parts/Dialog";
import { useChange } from "../../parts/mutation";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";

/** What follows from what is left of the budget, and who agreed to the promise. */
export function Commitment({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const query = useQuery(agreements(slo.name));
  return (
    <Section id={id} title={t("commitment.title")} note={t("commitment.note")}>
      <Policy slo={slo} />
      <h3>{t("agreement.title")}</h3>
      <Loaded query={query} lines={3}>
        {(data) => (
          <>
            <Reason required={data.required} reason={data.reason} />
            {(data.items ?? []).map((version) => (
              <Version key={version.version} version={version} slo={slo} />
            ))}
          </>
        )}
      </Loaded>
    </Section>
  );
}

const tones = { healthy: "ok", attention: "warn", exhausted: "warn" } as const;

/** The state that the error-budget policy sees, why, and what follows. */
function Policy({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const say = useSay();
  const { policy, consequences } = slo;
  return (
    <div className="banner" data-tone={tones[slo.policyState]}>
      <div className="row">
        <span className="title">{t(`policyState.${slo.policyState}`)}</span>
        {policy.name ? <span className="tag">{policy.name}</span> : <span className="dim small">{t("policy.none")}</span>}
        {policy.since && (
          <span className="dim small">
            {t("policy.since")} <At at={policy.since} short />
          </span>
        )}
      </div>
      <div className="sentence">{say(policy.reason)}</div>
      {consequences?.length ? (
        <ul className="small" style={{ margin: 0, paddingLeft: "1.25rem" }}>
          {consequences.map((c) => (
            <li key={c.room}>
              {t(`consequence.${c.room}.${c.effect}` as "consequence.gate.warn")}
              {c.note && `: ${c.note}`}
            </li>
          ))}
        </ul>
      ) : (
        <div className="small dim">{t("policy.nothing")}</div>
      )}
    </div>
  );
}

function Reason({ required, reason }: { required: boolean; reason: Parameters<ReturnType<typeof useSay>>[0] }) {
  const { t } = useTranslation();
  const say = useSay();
  return required ? <p className="small sentence">{say(reason)}</p> : <Empty title={say(reason)}>{t("agreement.noneWhat")}</Empty>;
}

/** One version of what is promised, with everybody's word. */
function Version({ version: v, slo }: { version: Agreement; slo: SLODetail }) {
  const { t } = useTranslation();
  const say = useSay();
  return (
    <details className="fold boxed" open={v.state === "proposed" || v.state === "in_force"}>
      <summary>
        {t("agreement.version", { n: v.version })}: <strong>{t(`agreementState.${v.state}`)}</strong> <span className="dim">{say(v.terms.text)}</span>
      </summary>
      <div className="section" style={{ marginTop: "0.5rem" }}>
        <p className="small dim">
          {t("agreement.proposed", { name: v.proposedBy.name || v.proposedBy.id })} <At at={v.proposedAt} short />
          {v.inForceAt && (
            <>
              {" · "}
              {t("agreement.inForce")} <At at={v.inForceAt} short />
            </>
          )}
          {v.supersededAt && (
            <>
              {" · "}
              {t("agreement.superseded")} <At at={v.supersededAt} short />
            </>
          )}
        </p>
        <Stakeholders items={v.stakeholders ?? []} />
        {v.state === "proposed" && <Words version={v} slo={slo} />}
        {!!v.words?.length && <Said version={v} />}
      </div>
    </details>
  );
}

function Stakeholders({ items }: { items: Stakeholder[] }) {
  const { t } = useTranslation();
  return (
    <TableBox label={t("agreement.stakeholders")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("agreement.stakeholder")}</th>
            <th scope="col">{t("agreement.word")}</th>
            <th scope="col">{t("agreement.comment")}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((s) => (
            <tr key={s.name}>
              <td className="anywhere">
                {s.name} {s.mine && <span className="tag">{t("people.you")}</span>}
              </td>
              <td>
                {s.word ? t(`word.${s.word}`) : <span className="dim">{t("word.none")}</span>}
                {s.at && (
                  <div className="sub">
                    {s.by && (s.by.name || s.by.id)} <At at={s.at} short />
                  </div>
                )}
              </td>
              <td className="anywhere">{s.comment || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** Everything that was said to a version, in order: also what was taken back later. */
function Said({ version }: { version: Agreement }) {
  const { t } = useTranslation();
  return (
    <details>
      <summary className="small dim">{t("agreement.said", { count: version.words.length })}</summary>
      <ul className="loglist">
        {version.words.map((w, i) => (
          <li key={i}>
            <At at={w.at} short />
            <div className="anywhere">
              {w.by.name || w.by.id}: <strong>{t(`word.${w.word}`)}</strong> {w.stakeholder && <span className="dim">({w.stakeholder})</span>}
              {w.comment && <div>{w.comment}</div>}
            </div>
          </li>
        ))}
      </ul>
    </details>
  );
}

type Word = "agree" | "decline" | "waive";

/** What the reader may say to a proposed version. */
function Words({ version: v, slo }: { version: Agreement; slo: SLODetail }) {
  const { t } = useTranslation();
  const who = useQuery(me());
  const mine = v.stakeholders.some((s) => s.mine);
  const person = who.data?.kind === "person";
  const mayWaive = person && (who.data?.role === "admin" || !!who.data?.teams?.length);
  if (!person || (!mine && !mayWaive)) return <p className="small dim">{t("agreement.notYours")}</p>;
  return (
    <div className="row">
      {mine && <Say word="agree" version={v.version} slo={slo.name} />}
      {mine && <Say word="decline" version={v.version} slo={slo.name} />}
      {mayWaive && <Say word="waive" version={v.version} slo={slo.name} />}
    </div>
  );
}

function Say({ word, version, slo }: { word: Word; version: number; slo: string }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [comment, setComment] = useState("");
  const change = useChange(["slo"], () => {
    const request = { params: { path: { name: slo, version } }, body: { comment: comment.trim() || undefined } };
    if (word === "agree") return api.POST("/api/v1/slos/{name}/agreements/{version}/agree", request);
    if (word === "decline") return api.POST("/api/v1/slos/{name}/agreements/{version}/decline", request);
    return api.POST("/api/v1/slos/{name}/agreements/{version}/waive", request);
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    change.mutate(undefined, { onSuccess: () => setAsking(false) });
  };
  return (
    <>
      <button className={word === "agree" ? "smallbtn main" : "smallbtn"} onClick={() => setAsking(true)}>
        {t(`say.${word}`)}
      </button>
      <Dialog opened={asking} onClose={() => setAsking(false)} title={t(`say.${word}Title`, { n: version })}>
        <form onSubmit={submit} className="section">
          <p className="small dim">{t(`say.${word}What`)}</p>
          <label className="field">
            {word === "agree" ? t("agreement.commentMaybe") : t("agreement.comment")}
            <textarea data-autofocus rows={3} required={word !== "agree"} maxLength={1000} value={comment} onChange={(e) => setComment(e.target.value)} />
          </label>
          {change.isError && <Failed error={change.error} />}
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <button type="button" className="smallbtn" onClick={() => setAsking(false)}>
              {t("cancel")}
            </button>
            <button className="smallbtn main" disabled={change.isPending}>
              {t(`say.${word}`)}
            </button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
