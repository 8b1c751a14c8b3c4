import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { suggestion } from "../../api/queries";
import type { Replay as ReplayAnswer, SLODetail, Suggestion } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Chart, type ChartLine } from "../../parts/Chart";
import { budgetRange } from "../../parts/chartMath";
import { Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Severity } from "../../parts/Status";
import { At } from "../../parts/Time";

/** What is tried; as it is typed. */
interface Trial {
  objective: string;
  window: string;
  policy: string;
}

const windows = ["1d", "7d", "28d", "30d", "90d"];

/** What another objective, window or alert policy would have meant over the time that is known. */
export function Replay({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const present: Trial = { objective: String(Number((slo.objective * 100).toFixed(6))), window: slo.window.duration, policy: "" };
  const [trial, setTrial] = useState(present);
  const run = useMutation({
    mutationFn: async (tried: Trial) =>
      (
        await api.POST("/api/v1/slos/{name}/replay", {
          params: { path: { name: slo.name } },
          body: { objective: Number(tried.objective) / 100, window: tried.window === present.window ? undefined : tried.window, policy: tried.policy.trim() || undefined },
        })
      ).data,
  });
  const tryOut = (tried: Trial) => {
    setTrial(tried);
    run.mutate(tried);
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    run.mutate(trial);
  };
  const nines = ninesOf(trial.objective);
  const listed = windows.includes(present.window) ? windows : [present.window, ...windows];
  return (
    <Section id={id} title={t("replay.title")} note={t("replay.note")}>
      <Suggest slo={slo} onTry={(objective) => tryOut({ ...trial, objective: String(Number((objective * 100).toFixed(6))) })} />
      <form onSubmit={submit} className="filters">
        <label className="field">
          {t("replay.objective")}
          <input inputMode="decimal" required pattern="\d{1,2}(\.\d{1,6})?" style={{ minWidth: "6rem" }} size={8} value={trial.objective} onChange={(e) => setTrial({ ...trial, objective: e.target.value })} />
        </label>
        <label className="field">
          {t("replay.slide")}
          <input type="range" min={0.5} max={5} step={0.1} value={nines} aria-valuetext={trial.objective + "%"} onChange={(e) => setTrial({ ...trial, objective: objectiveOf(Number(e.target.value)) })} onPointerUp={() => run.mutate(trial)} />
        </label>
        <label className="field">
          {t("replay.window")}
          <WindowSelect value={trial.window} options={listed} onChange={(window) => tryOut({ ...trial, window })} />
        </label>
        <label className="field">
          {t("replay.policy")}
          <input placeholder={t("replay.policyNow")} value={trial.policy} onChange={(e) => setTrial({ ...trial, policy: e.target.value })} />
        </label>
        <button className="smallbtn main" style={{ minHeight: "2.125rem" }} disabled={run.isPending}>
          {t("replay.run")}
        </button>
      </form>
      {run.isError && <Failed error={run.error} />}
      {run.data && <Outcome answer={run.data} slo={slo} />}
    </Section>
  );
}

function WindowSelect({ value, options, onChange }: { value: string; options: string[]; onChange: (window: string) => void }) {
  const f = useFormat();
  return (
    <select value={value} onChange={(e) => onChange(e.target.value)}>
      {options.map((w) => (
        <option key={w} value={w}>
          {f.window(w)}
        </option>
      ))}
    </select>
  );
}

/** How many nines an objective in percent has: 99.9 has three. */
function ninesOf(percent: string): number {
  const rest = 1 - Number(percent) / 100;
  return rest > 0 && rest < 1 ? Math.min(5, Math.max(0.5, -Math.log10(rest))) : 3;
}

/** The objective in percent with so many nines, rounded as people write objectives. */
function objectiveOf(nines: number): string {
  const digits = Math.max(0, Math.ceil(nines) - 2) + 1;
  return String(Number(((1 - 10 ** -nines) * 100).toFixed(digits)));
}

/** Objectives that the history kept, and what each would have cost. */
function Suggest({ slo, onTry }: { slo: SLODetail; onTry: (objective: number) => void }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const query = useQuery({ ...suggestion(slo.name), enabled: asked });
  return (
    <details className="fold boxed" onToggle={(e) => setAsked(e.currentTarget.open)}>
      <summary>{t("replay.suggest")}</summary>
      {asked && (
        <Loaded query={query} lines={3}>
          {(found) => <Choices found={found} onTry={onTry} />}
        </Loaded>
      )}
    </details>
  );
}

function Choices({ found, onTry }: { found: Suggestion; onTry: (objective: number) => void }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  return (
    <div className="section" style={{ marginTop: "0.5rem" }}>
      <p className="sentence">{say(found.said)}</p>
      <p className="small dim">{found.full ? t("replay.history", { from: f.date(found.from), to: f.date(found.to) }) : t("replay.notFull", { from: f.date(found.from), to: f.date(found.to) })}</p>
      <TableBox label={t("replay.suggest")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("slo.objective")}</th>
              <th scope="col">{t("replay.kept")}</th>
              <th scope="col" className="num">
                {t("replay.lowest")}
              </th>
              <th scope="col" className="num">
                {t("replay.allows")}
              </th>
              <th scope="col" className="num">
                {t("replay.pages")}
              </th>
              <th scope="col">{t("actions")}</th>
            </tr>
          </thead>
          <tbody>
            {(found.choices ?? []).map((c) => (
              <tr key={c.objective} className={c.objective === found.suggested ? "strong" : undefined}>
                <td>
                  {f.objective(c.objective)} {c.objective === found.suggested && <span className="tag">{t("replay.suggested")}</span>} {c.objective === found.inForce && <span className="tag">{t("replay.inForce")}</span>}
                </td>
                <td>{c.kept ? t("replay.yes") : t("replay.no")}</td>
                <td className="num">{f.budget(c.lowest)}</td>
                <td className="num">{f.duration(c.badMinutes * 60_000)}</td>
                <td className="num">{f.number(c.pages)}</td>
                <td>
                  <button className="smallbtn" onClick={() => onTry(c.objective)} aria-label={t("replay.tryOf", { objective: f.objective(c.objective) })}>
                    {t("replay.try")}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </div>
  );
}

/** What was tried beside what is in force, over the same time. */
function Outcome({ answer, slo }: { answer: ReplayAnswer; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const days = useMemo(() => answer.days ?? [], [answer]);
  const times = useMemo(() => days.map((d) => Date.parse(d.at)), [days]);
  const lines = useMemo<ChartLine[]>(() => [{ label: t("slo.budgetLeft"), values: days.map((d) => (d.known > 0 ? d.budgetLeft : null)), tint: "accent", fill: true }], [days, t]);
  const gone = useMemo(() => [{ value: 0, label: t("slo.budgetGone"), tint: "warn" as const }], [t]);
  const marks = useMemo(
    () => (answer.alerts ?? []).map((a) => ({ at: Date.parse(a.from), label: say(a.reason), group: t(a.severity === "page" ? "replay.pages" : "replay.tickets"), tint: a.severity === "page" ? ("bad" as const) : ("warn" as const) })),
    [answer, say, t],
  );
  const rows = [
    [t("replay.pages"), (o: ReplayAnswer["tried"]) => f.number(o.pages)],
    [t("replay.tickets"), (o: ReplayAnswer["tried"]) => f.number(o.tickets)],
    [t("replay.lowest"), (o: ReplayAnswer["tried"]) => `${f.budget(o.lowest)}${o.lowestAt ? ` (${f.shortTime(o.lowestAt)})` : ""}`],
    [t("replay.exhausted"), (o: ReplayAnswer["tried"]) => (o.exhaustedAt ? f.shortTime(o.exhaustedAt) : t("never"))],
    [t("replay.exhaustedFor"), (o: ReplayAnswer["tried"]) => (o.exhaustedMinutes > 0 ? f.duration(o.exhaustedMinutes * 60_000) : "–")],
    [t("replay.atEnd"), (o: ReplayAnswer["tried"]) => f.budget(o.budgetLeft)],
  ] as const;
  return (
    <>
      <div className="banner" role="status">
        <div className="title sentence">{say(answer.said)}</div>
        <div className="small dim">{t("replay.over", { from: f.shortTime(answer.from), to: f.shortTime(answer.to), share: f.percent(answer.known) })} {answer.alertEnd !== "counted" && t(`replay.end.${answer.alertEnd}`)}</div>
      </div>
      <TableBox label={t("replay.title")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">{t("replay.figure")}</span>
              </th>
              <th scope="col" className="num">
                {t("replay.tried", { objective: f.objective(answer.objective), window: f.window(answer.window.duration) })}
              </th>
              <th scope="col" className="num">
                {t("replay.now", { objective: f.objective(slo.objective), window: f.window(slo.window.duration) })}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, of]) => (
              <tr key={name}>
                <td>{name}</td>
                <td className="num strong">{of(answer.tried)}</td>
                <td className="num">{of(answer.inForce)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {times.length > 1 && <Chart title={t("replay.chart")} unit={t("chart.budgetUnit")} window={f.window(answer.window.duration)} times={times} lines={lines} thresholds={gone} marks={marks} format={f.budget} range={budgetRange} />}
      {!!answer.alerts?.length && (
        <details>
          <summary className="small">{t("replay.alerts", { count: answer.alerts.length })}</summary>
          <TableBox label={t("slo.history")}>
            <table className="t">
              <tbody>
                {answer.alerts.map((a, i) => (
                  <tr key={i}>
                    <td>
                      <Severity severity={a.severity} />
                    </td>
                    <td>
                      <At at={a.from} short />
                    </td>
                    <td className="num">{a.to ? f.duration(Date.parse(a.to) - Date.parse(a.from)) : t("rule.firing")}</td>
                    <td className="narrow-hide">
                      <span className="sentence">{say(a.reason)}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
        </details>
      )}
    </>
  );
}
