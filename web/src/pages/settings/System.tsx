import { IconCircleCheck, IconCircleX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { system } from "../../api/queries";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Loaded } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Ago } from "../../parts/Time";

export function System() {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const query = useQuery(system());
  return (
    <Section title={t("settings.system")} note={t("system.note")} more={<a href="/docs">{t("system.apiDocs")}</a>}>
      <Loaded query={query}>
        {(s) => (
          <>
            <dl className="facts">
              <div>
                <dt>{t("system.version")}</dt>
                <dd>
                  {s.version}
                  <small>
                    {[s.commit?.slice(0, 10), s.goVersion].filter(Boolean).join(" · ")}
                  </small>
                </dd>
              </div>
              <div>
                <dt>{t("system.started")}</dt>
                <dd>
                  <Ago at={s.startedAt} />
                  <small>{f.dateTime(s.startedAt)}</small>
                </dd>
              </div>
              <div>
                <dt>{t("system.database")}</dt>
                <dd>
                  {s.database === "postgres" ? "PostgreSQL" : "SQLite"}
                  <small>{s.database === "postgres" ? t("system.shared") : t("system.single")}</small>
                </dd>
              </div>
              <div data-tone={s.queue.discarded > 0 ? "warn" : undefined}>
                <dt>{t("system.queue")}</dt>
                <dd>
                  {t("system.waiting", { count: s.queue.waiting, number: f.number(s.queue.waiting) })}
                  <small>{t("system.queueMore", { running: f.number(s.queue.running), retrying: f.number(s.queue.retrying), discarded: f.number(s.queue.discarded) })}</small>
                </dd>
              </div>
            </dl>
            <ul className="loglist">
              {(s.checks ?? []).map((c) => (
                <li key={c.name}>
                  <span className="status" data-tone={c.ok ? "ok" : "bad"}>
                    {c.ok ? <IconCircleCheck size={16} aria-hidden /> : <IconCircleX size={16} aria-hidden />}
                    {c.ok ? t("system.ok") : t("system.bad")}
                  </span>
                  <div>
                    <span className="strong">{c.name}</span> {say(c.detail)}
                  </div>
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </Section>
  );
}
