import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { sources } from "../../api/queries";
import { usePageTitle } from "../../app/title";
import { exploreRanges, type ExploreSearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { parseDuration, zoneName } from "../../format/time";
import { Choice } from "../../parts/Filters";
import { Empty, Loading } from "../../parts/Notice";
import { Answer } from "./Answer";
import { stepOf } from "./results";

const Editor = lazy(() => import("./Editor"));
const examples = ["up", "sum by (job) (up)", "count by (__name__) ({__name__!=\"\"})"];

/** Asks a data source in PromQL; the question stands in the address. */
export function ExplorePage() {
  const { t } = useTranslation();
  const f = useFormat();
  const search = useSearch({ from: "/explore" });
  const navigate = useNavigate({ from: "/explore" });
  const client = useQueryClient();
  const known = useQuery(sources());
  const [draft, setDraft] = useState<{ of?: string; text: string }>({ of: search.q, text: search.q ?? "" });
  const [fault, setFault] = useState<Problem>();
  usePageTitle(t("nav.explore"));

  // Another address, such as by the browser's back button, brings its own question.
  const text = draft.of === search.q ? draft.text : (search.q ?? "");
  const set = (change: Partial<ExploreSearch>, replace = true) => void navigate({ search: (old) => ({ ...old, ...change }), replace });
  const run = () => {
    const q = text.trim();
    if (!q) return;
    if (q === search.q) void client.invalidateQueries({ queryKey: ["explore"] });
    else {
      setDraft({ of: q, text });
      set({ q }, false);
    }
  };
  const where = fault?.body.where;
  const marked = useMemo(() => (fault && where?.line && search.q ? { text: search.q, line: where.line, column: where.column ?? 1, message: [fault.message, fault.body.remedy].filter(Boolean).join("\n") } : undefined), [fault, where, search.q]);
  const several = (known.data?.items?.length ?? 0) > 1;

  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <h1>{t("nav.explore")}</h1>
        <p className="dim small">{t("explore.lead")}</p>
      </div>
      <form
        className="section"
        onSubmit={(e) => {
          e.preventDefault();
          run();
        }}
      >
        <Suspense fallback={<Loading lines={2} />}>
          <Editor key={f.lang} label={t("explore.editor")} hint={t("explore.hint")} value={text} source={search.source} fault={marked} onChange={(next) => setDraft({ of: search.q, text: next })} onRun={run} />
        </Suspense>
        <div className="filters">
          {several && <Choice label={t("sources.name")} value={search.source} any={t("slo.defaultSource")} options={(known.data?.items ?? []).map((s) => [s.name, s.title || s.name])} onChange={(source) => set({ source })} />}
          <Choice label={t("explore.range")} value={search.range} any={f.window("1h")} options={exploreRanges.filter((r) => r !== "1h").map((r) => [r, f.window(r)])} onChange={(range) => set({ range: range as ExploreSearch["range"] })} />
          <label className="field">
            {t("explore.until", { zone: zoneName() })}
            <input type="datetime-local" value={search.to ?? ""} onChange={(e) => set({ to: e.target.value || undefined })} />
          </label>
          <label className="field">
            {t("explore.step")}
            <input key={search.step} defaultValue={search.step} placeholder={t("explore.stepAuto")} size={8} style={{ minWidth: "6rem" }} onBlur={(e) => set({ step: stepOf(e.target.value) ? e.target.value.trim() : undefined })} />
          </label>
          <button className="smallbtn main" style={{ minHeight: "2.125rem" }}>
            {t("explore.run")}
          </button>
        </div>
        <p className="dim small">{t("explore.keys")}</p>
      </form>
      {search.q ? (
        <Answer search={search} span={parseDuration(search.range ?? "1h")} onFault={setFault} />
      ) : (
        <Empty title={t("explore.none")}>
          <p>{t("explore.noneWhat")}</p>
          <span className="row">
            {examples.map((q) => (
              <Link key={q} to="/explore" search={{ ...search, q }}>
                <code>{q}</code>
              </Link>
            ))}
          </span>
        </Empty>
      )}
    </div>
  );
}
