import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem, type ProblemBody } from "../api/client";
import { useFormat } from "../format";

/** Grey lines in the place of what is being fetched. */
export function Loading({ lines = 4 }: { lines?: number }) {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status" aria-label={t("loading")}>
      {Array.from({ length: lines }, (_, i) => (
        <i key={i} style={{ width: `${92 - ((i * 17) % 45)}%` }} />
      ))}
    </div>
  );
}

/** Nothing is here: why, and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  );
}

function Where({ body }: { body: ProblemBody }) {
  const place = body.where?.file ? [body.where.file, body.where.line, body.where.column].filter(Boolean).join(":") : body.field;
  return place ? <code className="small">{place}</code> : null;
}

/** What went wrong, how to mend it, and a button to try again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const f = useFormat();
  const problem = error instanceof Problem ? error : undefined;
  const silent = !problem || problem.status === 0;
  const title = silent ? t("error.silent") : problem.status === 403 ? t("error.denied") : problem.status === 404 ? t("error.notFound") : problem.status >= 500 ? t("error.server") : t("error.refused");
  const body = problem?.body;
  return (
    <div className="banner" data-tone="warn" role="alert">
      <div className="title">{title}</div>
      {silent ? <div>{t("error.silentFix")}</div> : <div>{problem.message}</div>}
      {body?.remedy && <div>{body.remedy}</div>}
      {body && <Where body={body} />}
      {body?.errors?.map((e, i) => (
        <div key={i} className="small">
          <Where body={e} /> {e.detail} {e.remedy}
        </div>
      ))}
      {problem?.retryAfter && <div>{t("error.retryAfter", { time: f.duration(problem.retryAfter * 1000) })}</div>}
      <div className="row small">
        {retry && (
          <button className="smallbtn" onClick={retry}>
            {t("error.again")}
          </button>
        )}
        {body?.requestId && <span className="dim">{t("error.request", { id: body.requestId })}</span>}
      </div>
    </div>
  );
}

/** Shows a query's answer, or that it is on its way, or why it did not come. An old answer stays while a new one fails. */
export function Loaded<T>({ query, lines, children }: { query: UseQueryResult<T>; lines?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && !query.isFetching && <Failed error={query.error} retry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <Loading lines={lines} />;
}
