import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../../api/LiveProvider";
import { entry as entryQuery, journalPages } from "../../api/queries";
import type { Entry } from "../../api/types";
import { usePageTitle } from "../../app/title";
import type { ActivitySearch } from "../../app/urlState";
import { useFormat } from "../../format";
import { zoneName } from "../../format/time";
import { EntryDetail, Subject, useKindName, useSummary } from "../../parts/Entry";
import { Choice, Filters, SearchField } from "../../parts/Filters";
import { Empty, Failed, Loaded, Loading } from "../../parts/Notice";
import { splitRef } from "../../parts/Ref";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";
import { gather } from "./runs";

/** Families of kinds to choose from; an exact kind may stand in the address. */
const families = ["slo.*", "notify.*", "deploy.*", "catalog.*", "ascode.*", "access.*"] as const;

const toISO = (local: string | undefined) => (local ? new Date(local).toISOString() : undefined);

/** The journal: everything that happened, newest first, live. */
export function ActivityPage() {
  const { t } = useTranslation();
  const f = useFormat();
  const search = useSearch({ from: "/activity" });
  const navigate = useNavigate({ from: "/activity" });
  const kindName = useKindName();
  const { listen } = useLive();
  const [pausedAt, setPausedAt] = useState<number | null>(null);
  const [waiting, setWaiting] = useState(0);
  usePageTitle(t("nav.activity"));

  const asked = {
    kind: search.kind ? [search.kind] : undefined,
    subject: search.subject,
    actor: search.actor,
    q: search.q,
    from: toISO(search.from),
    // While paused the list ends where it ended then.
    to: toISO(search.to) ?? (pausedAt ? new Date(pausedAt).toISOString() : undefined),
    limit: 50,
  };
  const query = useInfiniteQuery({ ...journalPages(asked), staleTime: pausedAt ? Infinity : 5_000 });
  useEffect(() => (pausedAt === null ? undefined : listen(() => setWaiting((n) => n + 1))), [listen, pausedAt]);

  const rows = useMemo(() => query.data?.pages.flatMap((p) => p.items ?? []) ?? [], [query.data]);
  const set = (change: Partial<ActivitySearch>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const filtered = !!(search.kind || search.subject || search.actor || search.q || search.from || search.to);
  const rowProps = (e: Entry) => ({ name: kindName(e.kind), opened: search.entry === e.id, toggle: () => set({ entry: search.entry === e.id ? undefined : e.id }) });
  const outside = search.entry && query.data && !rows.some((r) => r.id === search.entry) ? search.entry : undefined;

  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <div className="row between">
          <h1>{t("nav.activity")}</h1>
          <button
            className="smallbtn"
            aria-pressed={pausedAt !== null}
            onClick={() => {
              setPausedAt(pausedAt === null ? Date.now() + 1 : null);
              setWaiting(0);
            }}
          >
            {pausedAt === null ? <IconPlayerPause size={14} aria-hidden /> : <IconPlayerPlay size={14} aria-hidden />}
            {pausedAt === null ? t("activity.pause") : waiting > 0 ? t("activity.resumeN", { count: waiting }) : t("activity.resume")}
          </button>
        </div>
        <p className="dim small" role="status">
          {pausedAt !== null ? t("activity.paused", { time: f.clock(pausedAt) }) : t("activity.lead")}
        </p>
      </div>
      <Filters active={filtered}>
        <SearchField label={t("activity.search")} hint={t("activity.searchHint")} value={search.q} onChange={(q) => set({ q })} />
        <Choice label={t("activity.kind")} value={search.kind} any={t("filter.any")} options={families.map((k) => [k, t(`family.${k}`)])} onChange={(kind) => set({ kind })} />
        <SearchField label={t("activity.subject")} hint="service:checkout" value={search.subject} onChange={(subject) => set({ subject })} />
        <SearchField label={t("activity.who")} value={search.actor} onChange={(actor) => set({ actor })} />
        <label className="field">
          {t("activity.from")}
          <input type="datetime-local" value={search.from ?? ""} onChange={(e) => set({ from: e.target.value || undefined })} />
        </label>
        <label className="field">
          {t("activity.to")}
          <input type="datetime-local" value={search.to ?? ""} onChange={(e) => set({ to: e.target.value || undefined })} />
        </label>
        {filtered && (
          <button className="smallbtn" onClick={() => void navigate({ search: {}, replace: true })}>
            {t("filter.clear")}
          </button>
        )}
      </Filters>
      {outside && <Outside id={outside} />}
      {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={8} />}
      {query.data && rows.length === 0 && <Empty title={filtered ? t("activity.noMatch") : t("activity.none")}>{filtered ? t("activity.noMatchWhat") : t("activity.noneWhat")}</Empty>}
      {rows.length > 0 && (
        <TableBox label={t("nav.activity")}>
          <table className="t">
            <thead>
              <tr>
                <th scope="col">
                  {t("activity.when")} <span className="narrow-hide">({zoneName()})</span>
                </th>
                <th scope="col">{t("activity.what")}</th>
                <th scope="col" className="narrow-hide">
                  {t("activity.subject")}
                </th>
                <th scope="col" className="narrow-hide">
                  {t("activity.who")}
                </th>
              </tr>
            </thead>
            <tbody>
              {gather(rows, search.entry).map((row) =>
                "entry" in row ? (
                  <EntryRow key={row.entry.id} entry={row.entry} {...rowProps(row.entry)} />
                ) : (
                  <RunRow key={row.run[0].id} run={row.run} name={kindName(row.run[0].kind)}>
                    {row.run.map((e) => (
                      <EntryRow key={e.id} entry={e} {...rowProps(e)} />
                    ))}
                  </RunRow>
                ),
              )}
            </tbody>
          </table>
        </TableBox>
      )}
      {query.hasNextPage && (
        <div>
          <button className="smallbtn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("activity.older")}
          </button>
        </div>
      )}
    </div>
  );
}

/** Many entries of a kind as one row; pressing it shows each. */
function RunRow({ run, name, children }: { run: Entry[]; name: string; children: ReactNode }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [first, last] = [run[0], run[run.length - 1]];
  return (
    <>
      <tr>
        <td className="nowrap">
          <At at={first.time} short />
          <div className="sub">
            {t("activity.since")} <At at={last.time} short />
          </div>
        </td>
        <td>
          <button className="linkbtn" style={{ fontSize: "inherit" }} aria-expanded={opened} onClick={() => setOpened(!opened)}>
            {t("activity.run", { name, count: run.length })}
          </button>
          <div className="sub">{first.kind}</div>
        </td>
        <td className="narrow-hide anywhere dim">{t("activity.runSubjects", { first: splitRef(first.subject).name, count: run.length - 1 })}</td>
        <td className="narrow-hide anywhere">{first.actor.name || first.actor.id}</td>
      </tr>
      {opened && children}
    </>
  );
}

function EntryRow({ entry: e, name, opened, toggle }: { entry: Entry; name: string; opened: boolean; toggle: () => void }) {
  const { t } = useTranslation();
  const summary = useSummary()(e);
  return (
    <>
      <tr>
        <td className="nowrap">
          <At at={e.time} short />
        </td>
        <td>
          <button className="linkbtn" style={{ fontSize: "inherit" }} aria-expanded={opened} onClick={toggle}>
            {name}
          </button>
          {summary && <div>{summary}</div>}
          <div className="sub">{e.kind}</div>
          <div className="narrow-only anywhere">
            <Subject entry={e} /> <span className="dim">{e.actor.name || e.actor.id}</span>
          </div>
        </td>
        <td className="narrow-hide anywhere">
          <Subject entry={e} />
        </td>
        <td className="narrow-hide anywhere">
          {e.actor.name || e.actor.id} {e.actor.kind !== "person" && <span className="tag">{t(`actor.${e.actor.kind as "token"}`, { defaultValue: e.actor.kind })}</span>}
        </td>
      </tr>
      {opened && (
        <tr>
          <td colSpan={4}>
            <EntryDetail entry={e} />
          </td>
        </tr>
      )}
    </>
  );
}

/** The entry that the address names, when the list does not hold it. */
function Outside({ id }: { id: string }) {
  const { t } = useTranslation();
  const kindName = useKindName();
  const query = useQuery(entryQuery(id));
  return (
    <Loaded query={query} lines={3}>
      {(entry) => (
        <Section title={kindName(entry.kind)} note={t("activity.linked")}>
          <div className="banner">
            <EntryDetail entry={entry} />
          </div>
        </Section>
      )}
    </Loaded>
  );
}
