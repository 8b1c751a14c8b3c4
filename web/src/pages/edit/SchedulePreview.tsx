import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { schedulePreview } from "../../api/queries";
import type { SchedulePreview as Preview } from "../../api/types";
import { Empty } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { People, Span, Wall } from "../oncall/parts";

const shown = 30;

/** What documents with schedules would change of the next 90 days; nothing for others. */
export function SchedulePreview({ text }: { text: string }) {
  const query = useQuery({ ...schedulePreview(text), enabled: /^kind:\s*["']?Schedule\b/m.test(text) });
  return (query.data?.items ?? []).map((p) => <One key={p.schedule} preview={p} />);
}

function One({ preview: p }: { preview: Preview }) {
  const { t } = useTranslation();
  const changes = p.changes ?? [];
  const gaps = p.gaps ?? [];
  return (
    <Section title={t("oncall.preview")} note={p.schedule}>
      {gaps.length > 0 && (
        <div className="banner" data-tone="warn" role="status">
          <div className="title">
            {t("oncall.previewGaps", { count: gaps.length })} <Wall at={gaps[0].from} zone={p.timeZone} />
          </div>
        </div>
      )}
      {changes.length ? (
        <TableBox label={t("oncall.preview")}>
          <table className="t">
            <thead>
              <tr>
                <th scope="col">{t("oncall.when")}</th>
                <th scope="col">{t("oncall.before")}</th>
                <th scope="col">{t("oncall.after")}</th>
              </tr>
            </thead>
            <tbody>
              {changes.slice(0, shown).map((c) => (
                <tr key={c.role + c.from}>
                  <td>
                    <Span from={c.from} to={c.to} zone={p.timeZone} />
                    {c.role !== "primary" && <span className="tag"> {t(`oncall.role.${c.role}`)}</span>}
                  </td>
                  <td>{c.before?.length ? <People people={c.before} /> : <span className="dim">–</span>}</td>
                  <td>{c.after?.length ? <People people={c.after} /> : <span className="dim">–</span>}</td>
                </tr>
              ))}
              {changes.length > shown && (
                <tr>
                  <td colSpan={3} className="dim">
                    {t("oncall.more", { count: changes.length - shown })}
                  </td>
                </tr>
              )}
            </tbody>
          </table>
        </TableBox>
      ) : (
        <Empty title={t("oncall.previewSame")}>{t("oncall.previewSameWhat")}</Empty>
      )}
    </Section>
  );
}
