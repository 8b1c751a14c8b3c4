import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useBlocker, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { documentYaml, storedDocument } from "../../api/queries";
import type { Plan } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { CopyButton } from "../../parts/Code";
import { Managed, originOf, type Origin } from "../../parts/Managed";
import { Empty, Failed, Loading } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { errorsOf, fileName, warningsOf, type Finding } from "./findings";
import { PlanTable } from "./PlanTable";
import { SchedulePreview } from "./SchedulePreview";
import { kinds, templates, type Kind } from "./templates";

const YamlEditor = lazy(() => import("./YamlEditor"));

/** Writes documents as code in the browser: check, see the plan, confirm. */
export function EditPage() {
  const { t } = useTranslation();
  const { kind, name, service } = useSearch({ from: "/edit" });
  const title = name ? t("edit.title", { name }) : t("edit.new");
  usePageTitle(title);
  return (
    <div className="page">
      <div className="pagehead">
        <h1 className="anywhere">{title}</h1>
        <p className="dim small">{t("edit.lead")}</p>
      </div>
      {name && kind ? <Stored key={kind + name} kind={kind} name={name} /> : <New kind={(kind as Kind) ?? "SLO"} service={service ?? "my-service"} />}
    </div>
  );
}

/** A document that is there. */
function Stored({ kind, name }: { kind: string; name: string }) {
  const text = useQuery(documentYaml(kind, name));
  const stored = useQuery(storedDocument(kind, name));
  const failed = stored.error ?? text.error;
  if (failed) return <Failed error={failed} retry={() => void Promise.all([text.refetch(), stored.refetch()])} />;
  if (text.data === undefined || !stored.data) return <Loading lines={10} />;
  return <Desk begin={text.data} origin={originOf(stored.data)} />;
}

function New({ kind, service }: { kind: Kind; service: string }) {
  const { t } = useTranslation();
  const known = kinds.includes(kind) ? kind : "SLO";
  return (
    <>
      <nav className="chips" style={{ alignSelf: "flex-start" }} aria-label={t("edit.kind")}>
        {kinds.map((k) => (
          <Link key={k} to="/edit" search={{ kind: k, service: service === "my-service" ? undefined : service }} aria-current={k === known ? "page" : undefined} replace>
            {k}
          </Link>
        ))}
      </nav>
      <Desk key={known} begin={templates[known](service)} />
    </>
  );
}

/** What was judged, and what came of it. */
interface Judged {
  text: string;
  plan?: Plan;
  findings: Finding[];
}

function Desk({ begin, origin }: { begin: string; origin?: Origin }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState(begin);
  const [judged, setJudged] = useState<Judged>();
  const [goTo, setGoTo] = useState<{ line: number; column: number }>();
  const code = origin?.by === "code";
  const set = code ? origin.set : "browser";
  const files = [{ name: fileName, data: text }];
  const refused = (error: unknown) => setJudged({ text, findings: errorsOf(error) });
  const check = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/plan", { body: { set, files } })).data as Plan,
    onSuccess: (plan) => setJudged({ text, plan, findings: warningsOf(plan.warnings) }),
    onError: refused,
  });
  const apply = useMutation({
    mutationFn: async () => (await api.POST("/api/v1/apply", { body: { set, files, confirm: judged?.plan?.digest } })).data as Plan,
    onSuccess: () => client.invalidateQueries(),
    onError: refused,
  });
  const done = apply.isSuccess && judged?.text === text;
  const fresh = judged?.text === text ? judged : undefined;
  const change = (next: string) => {
    setText(next);
    apply.reset();
  };
  const failed = check.error ?? apply.error;
  useBlocker({ shouldBlockFn: () => text !== begin && !done && !window.confirm(t("edit.leave")), enableBeforeUnload: () => text !== begin && !done, disabled: text === begin || done });
  return (
    <>
      {code && (
        <div className="banner" data-tone="warn">
          <div className="title">{t("edit.fromCode")}</div>
          <Managed origin={origin} />
          <div className="small">{t("edit.fromCodeWhat")}</div>
        </div>
      )}
      <Suspense fallback={<Loading lines={12} />}>
        <YamlEditor label={t("edit.editor")} value={text} found={judged} goTo={goTo} onChange={change} onCheck={() => check.mutate()} />
      </Suspense>
      <div className="row">
        <button className="smallbtn main" style={{ minHeight: "2.125rem" }} disabled={check.isPending} onClick={() => check.mutate()}>
          {t("edit.check")}
        </button>
        <CopyButton text={text} />
        <span className="dim small">{t("edit.keys")}</span>
      </div>
      {failed && errorsOf(failed).length === 0 && <Failed error={failed} />}
      {fresh && fresh.findings.length > 0 && <Findings findings={fresh.findings} onGo={setGoTo} />}
      {fresh?.plan && !done && <SchedulePreview text={text} />}
      {fresh?.plan && (
        <Section title={t("edit.plan")} note={done ? undefined : t("edit.planNote")}>
          <PlanTable plan={fresh.plan} />
          {done ? <Done plan={fresh.plan} /> : <Confirm plan={fresh.plan} code={code} busy={apply.isPending} onApply={() => apply.mutate()} />}
        </Section>
      )}
    </>
  );
}

function Findings({ findings, onGo }: { findings: Finding[]; onGo: (at: { line: number; column: number }) => void }) {
  const { t } = useTranslation();
  const errors = findings.filter((f) => f.severity === "error").length;
  return (
    <div className="banner" data-tone="warn" role="alert">
      <div className="title">{errors > 0 ? t("edit.errors", { count: errors }) : t("edit.warnings", { count: findings.length })}</div>
      <ul className="plainlist">
        {findings.map((f, i) => (
          <li key={i}>
            {f.line !== undefined && (
              <button className="smallbtn" onClick={() => onGo({ line: f.line ?? 1, column: f.column ?? 1 })}>
                {t("edit.line", { line: f.line })}
              </button>
            )}{" "}
            <span className="sentence">{f.detail}</span> {f.field && <code className="small">{f.field}</code>}
            {f.remedy && <div className="small dim sentence">{f.remedy}</div>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Confirm({ plan, code, busy, onApply }: { plan: Plan; code: boolean; busy: boolean; onApply: () => void }) {
  const { t } = useTranslation();
  if (plan.added + plan.changed + plan.removed === 0) return <Empty title={t("edit.same")}>{t("edit.sameWhat")}</Empty>;
  if (code) return <p className="small">{t("edit.copyBack")}</p>;
  return (
    <div className="row">
      <button className="smallbtn main" style={{ minHeight: "2.125rem" }} disabled={busy} onClick={onApply}>
        {t("edit.apply")}
      </button>
    </div>
  );
}

/** It is so now: where to look at it. */
function Done({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const slos = plan.changes.filter((c) => c.kind === "SLO");
  return (
    <div className="banner" data-tone="ok" role="status">
      <div className="title">{t("edit.done")}</div>
      <div className="small">{slos.length > 0 ? t("edit.doneSLO") : t("edit.doneWhat")}</div>
      <div className="row">
        {slos.map((c) => (
          <button key={c.name} className="smallbtn" onClick={() => void navigate({ to: "/slos/$name", params: { name: c.name } })}>
            {c.name}
          </button>
        ))}
        <Link className="smallbtn" to="/activity">
          {t("now.allActivity")}
        </Link>
      </div>
    </div>
  );
}
