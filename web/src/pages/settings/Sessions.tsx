import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me, sessions } from "../../api/queries";
import { useChange } from "../../parts/mutation";
import { Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";
import { browserName } from "./browserName";

export function Sessions() {
  return (
    <>
      <SessionList />
      <Password />
    </>
  );
}

/** Sets or changes one's own password. */
function Password() {
  const { t } = useTranslation();
  const who = useQuery(me());
  const change = useChange(["access"], (body: { current?: string; password: string }) => api.POST("/api/v1/me/password", { body }));
  if (!who.data || who.data.kind !== "person") return null;
  return (
    <Section title={t("password.title")} note={who.data.password ? t("password.change") : t("password.set")}>
      <form
        className="filters"
        onSubmit={(e) => {
          e.preventDefault();
          const form = e.currentTarget;
          const values = new FormData(form);
          change.mutate({ current: String(values.get("current") ?? "") || undefined, password: String(values.get("password")) }, { onSuccess: () => form.reset() });
        }}
      >
        <input type="hidden" autoComplete="username" value={who.data.login ?? ""} readOnly />
        {who.data.password && (
          <label className="field">
            {t("password.current")}
            <input name="current" type="password" autoComplete="current-password" required />
          </label>
        )}
        <label className="field">
          {t("password.next")}
          <input name="password" type="password" autoComplete="new-password" required />
        </label>
        <button className="smallbtn main" style={{ height: "2.125rem" }} disabled={change.isPending}>
          {t("password.save")}
        </button>
        <span role="status">{change.isSuccess && t("password.saved")}</span>
      </form>
      {change.isError && <Failed error={change.error} />}
    </Section>
  );
}

function SessionList() {
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
