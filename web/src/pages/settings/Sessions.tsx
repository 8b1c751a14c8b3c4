import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { sessions } from "../../api/queries";
import { useChange } from "../../parts/mutation";
import { Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";
import { browserName } from "./browserName";

export function Sessions() {
  const { t } = useTranslation();
  const query = useQuery(sessions());
  const revoke = useChange(["access"], (id: string) => api.DELETE("/api/v1/sessions/{id}", { params: { path: { id } } }));
  const endOthers = useChange(["access"], () => api.DELETE("/api/v1/sessions"));
  const others = query.data?.items?.some((s) => !s.current);
  return (
    <Section
      title={t("settings.sessions")}
      note={t("sessions.note")}
      more={
        others && (
          <button className="smallbtn danger" disabled={endOthers.isPending} onClick={() => endOthers.mutate(undefined)}>
            {t("sessions.endOthers")}
          </button>
        )
      }
    >
      {endOthers.isError && <Failed error={endOthers.error} />}
      {revoke.isError && <Failed error={revoke.error} />}
      <Loaded query={query}>
        {(data) => (
          <TableBox label={t("settings.sessions")}>
            <table className="t mid">
              <thead>
                <tr>
                  <th scope="col">{t("sessions.browser")}</th>
                  <th scope="col" className="narrow-hide">
                    {t("sessions.address")}
                  </th>
                  <th scope="col" className="narrow-hide">
                    {t("sessions.since")}
                  </th>
                  <th scope="col">{t("sessions.seen")}</th>
                  <th scope="col">{t("actions")}</th>
                </tr>
              </thead>
              <tbody>
                {(data.items ?? []).map((s) => (
                  <tr key={s.id}>
                    <td title={s.agent}>
                      {browserName(s.agent) || t("sessions.unknownBrowser")} {s.current && <span className="tag">{t("sessions.current")}</span>}
                    </td>
                    <td className="narrow-hide tab">{s.address}</td>
                    <td className="narrow-hide">
                      <Ago at={s.createdAt} />
                    </td>
                    <td>
                      <Ago at={s.seenAt} />
                    </td>
                    <td>
                      {s.current ? (
                        <form method="post" action="/signout">
                          <button className="smallbtn">{t("signOut")}</button>
                        </form>
                      ) : (
                        <button className="smallbtn danger" disabled={revoke.isPending} onClick={() => revoke.mutate(s.id)}>
                          {t("sessions.revoke")}
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
        )}
      </Loaded>
    </Section>
  );
}
