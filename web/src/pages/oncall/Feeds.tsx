import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { feeds } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { Code } from "../../parts/Code";
import { ConfirmButton } from "../../parts/Confirm";
import { useChange } from "../../parts/mutation";
import { Failed } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";

/** Addresses under which the caller's calendars read shifts. */
export function Feeds({ schedule }: { schedule: Schedule }) {
  const { t, i18n } = useTranslation();
  const query = useQuery(feeds());
  const language = i18n.language === "ja" ? ("ja" as const) : ("en" as const);
  const make = useChange(["oncall"], (of: { schedule?: string; person?: string }) => api.POST("/api/v1/feeds", { body: { ...of, language } }));
  const revoke = useChange(["oncall"], (id: string) => api.DELETE("/api/v1/feeds/{id}", { params: { path: { id } } }));
  const made = make.data?.data;
  const items = query.data?.items ?? [];
  return (
    <Section title={t("oncall.feeds")} note={t("oncall.feedsNote")}>
      {made?.url && (
        <div className="banner" data-tone="ok" role="status">
          <div className="title">{t("oncall.feedMade")}</div>
          <div>{t("oncall.feedMadeWhat")}</div>
          <Code text={made.url} />
        </div>
      )}
      {make.isError && <Failed error={make.error} />}
      {revoke.isError && <Failed error={revoke.error} />}
      <div className="row">
        <button className="smallbtn" disabled={make.isPending} onClick={() => make.mutate({ schedule: schedule.name })}>
          {t("oncall.feedSchedule")}
        </button>
        {schedule.me && (
          <button className="smallbtn" disabled={make.isPending} onClick={() => make.mutate({ person: "me" })}>
            {t("oncall.feedMine")}
          </button>
        )}
      </div>
      {items.length > 0 && (
        <TableBox label={t("oncall.feeds")}>
          <table className="t mid">
            <thead>
              <tr>
                <th scope="col">{t("oncall.feedOf")}</th>
                <th scope="col">{t("oncall.feedRead")}</th>
                <th scope="col">{t("actions")}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((f) => (
                <tr key={f.id}>
                  <td className="anywhere">{f.schedule || f.person}</td>
                  <td>{f.readAt ? <Ago at={f.readAt} /> : <span className="dim">{t("never")}</span>}</td>
                  <td>
                    <ConfirmButton label={t("oncall.feedRevoke")} title={t("oncall.feedRevokeTitle")} busy={revoke.isPending} onConfirm={() => revoke.mutate(f.id)}>
                      {t("oncall.feedRevokeWhat")}
                    </ConfirmButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
    </Section>
  );
}
