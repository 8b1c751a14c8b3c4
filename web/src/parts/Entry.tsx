import { Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Entry } from "../api/types";
import { texts } from "../i18n/texts";
import { flatten, isBoth } from "./entryData";
import { RefLink, splitRef } from "./Ref";
import { At } from "./Time";
import { Code } from "./Code";
import { useSay } from "../i18n";

/** A kind in words, or itself where it has none yet: a later room's kind is still readable. */
export function useKindName(): (kind: string) => string {
  const { t } = useTranslation();
  return useCallback(
    (kind) => {
      const key = `entry.${kind}`;
      return key in texts ? t(key as "entry.slo.alert_fired") : kind;
    },
    [t],
  );
}

/** Begins with a capital: the server's reasons are parts of sentences. */
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The sentence that an entry carries in its data, or one made of it. */
export function useSummary(): (entry: Entry) => string {
  const say = useSay();
  const { t } = useTranslation();
  return (entry) => {
    const data = (entry.data ?? {}) as Record<string, unknown>;
    for (const text of [data.reason, data.summary, data.title]) if (isBoth(text)) return sentence(say(text));
    if (entry.kind === "ascode.applied") return t("entry.applied", { added: Number(data.added ?? 0), changed: Number(data.changed ?? 0), removed: Number(data.removed ?? 0) });
    if (entry.kind.startsWith("access.")) return [data.login ?? data.name, data.address].filter((v) => typeof v === "string").join(" · ");
    return typeof data.version === "string" ? data.version : "";
  };
}

/** What an entry is about, linked; a person by name where the entry says it. */
export function Subject({ entry }: { entry: Entry }) {
  const data = (entry.data ?? {}) as Record<string, unknown>;
  const name = entry.subject === "user:" + entry.actor.id ? entry.actor.name : typeof data.name === "string" ? data.name : undefined;
  if (/^(user|token):/.test(entry.subject) && name) return <span>{name}</span>;
  return entry.subject ? <RefLink refText={entry.subject} /> : <>–</>;
}

/** One line of what happened: kind, subject, who, and its own words. */
export function EntryLine({ entry, opened }: { entry: Entry; opened?: boolean }) {
  const { t } = useTranslation();
  const name = useKindName();
  const reason = useSummary()(entry);
  return (
    <div className="anywhere">
      <Link to="/activity" search={(old) => ({ ...old, entry: entry.id })} className="plain strong" aria-expanded={opened}>
        {name(entry.kind)}
      </Link>{" "}
      <Subject entry={entry} /> {entry.actor.kind !== "system" && <span className="dim">{t("entry.by", { name: entry.actor.name || entry.actor.id })}</span>}
      {reason && <div className="dim">{reason}</div>}
    </div>
  );
}

/** A short list of entries, newest first. */
export function EntryList({ entries }: { entries: Entry[] }) {
  return (
    <ul className="loglist">
      {entries.map((e) => (
        <li key={e.id}>
          <At at={e.time} short />
          <EntryLine entry={e} />
        </li>
      ))}
    </ul>
  );
}

/** Everything an entry says, as words and, underneath, as it is stored. */
export function EntryDetail({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const say = useSay();
  const rows = flatten(entry.data);
  const value = (v: unknown) => (v === undefined || v === null ? "–" : isBoth(v) ? say(v) : typeof v === "string" ? v : JSON.stringify(v));
  return (
    <div className="page" style={{ gap: "0.75rem" }}>
      <dl className="diff">
        <dt>{t("activity.when")}</dt>
        <dd>
          <At at={entry.time} />
        </dd>
        <dt>{t("activity.who")}</dt>
        <dd>
          {entry.actor.name || entry.actor.id} <span className="dim">({t(`actor.${entry.actor.kind as "person"}`, { defaultValue: entry.actor.kind })})</span>
        </dd>
        <dt>{t("activity.subject")}</dt>
        <dd>
          {[entry.subject, ...(entry.also ?? [])].filter((ref) => splitRef(ref).name).map((ref, i) => (
            <span key={ref}>
              {i > 0 && ", "}
              <RefLink refText={ref} />
            </span>
          ))}
        </dd>
        {rows.map((row) => (
          <Row key={row.path} path={row.path}>
            {row.changed ? (
              <>
                <del>{value(row.before)}</del> → <ins>{value(row.after)}</ins>
              </>
            ) : (
              value(row.after)
            )}
          </Row>
        ))}
        {entry.cause && (
          <Row path={t("activity.cause")}>
            <code>{entry.cause}</code>
          </Row>
        )}
      </dl>
      <details>
        <summary className="small dim">{t("activity.raw")}</summary>
        <Code text={JSON.stringify(entry, null, 2)} />
      </details>
    </div>
  );
}

function Row({ path, children }: { path: string; children: React.ReactNode }) {
  return (
    <>
      <dt>{path}</dt>
      <dd>{children}</dd>
    </>
  );
}
