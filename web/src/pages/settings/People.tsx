import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me, roles as rolesQuery, users } from "../../api/queries";
import type { User } from "../../api/types";
import { useFormat } from "../../format";
import { useLang } from "../../i18n";
import { Code } from "../../parts/Code";
import { ConfirmButton } from "../../parts/Confirm";
import { splitRef } from "../../parts/Ref";
import { useChange } from "../../parts/mutation";
import { Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";

const roles = ["viewer", "responder", "editor", "admin"] as const;
type Role = (typeof roles)[number];

export function People() {
  const { t } = useTranslation();
  const who = useQuery(me());
  const admin = who.data?.role === "admin";
  const query = useQuery(users());
  return (
    <>
      <Section title={t("settings.people")} note={t("people.note")}>
        <Loaded query={query}>{(data) => <PeopleTable people={data.items ?? []} admin={admin} self={who.data?.id} />}</Loaded>
      </Section>
      {admin && <Invite />}
      <Roles />
    </>
  );
}

function PeopleTable({ people, admin, self }: { people: User[]; admin: boolean; self?: string }) {
  const { t } = useTranslation();
  const change = useChange(["access"], ({ user, ...body }: { user: User; role?: Role; disabled?: boolean }) =>
    api.PATCH("/api/v1/users/{id}", { params: { path: { id: user.id }, header: { "If-Match": user.etag } }, body }),
  );
  const reinvite = useChange(["access"], (id: string) => api.POST("/api/v1/users/{id}/invitation", { params: { path: { id } } }));
  const link = reinvite.data?.data;
  return (
    <>
      {change.isError && <Failed error={change.error} />}
      {reinvite.isError && <Failed error={reinvite.error} />}
      {link && <LinkBanner name={link.user.name} link={link.link} />}
      <TableBox label={t("settings.people")}>
        <table className="t mid">
          <thead>
            <tr>
              <th scope="col">{t("people.name")}</th>
              <th scope="col">{t("people.role")}</th>
              <th scope="col" className="narrow-hide">
                {t("people.owns")}
              </th>
              <th scope="col" className="narrow-hide">
                {t("people.lastSignIn")}
              </th>
              {admin && <th scope="col">{t("actions")}</th>}
            </tr>
          </thead>
          <tbody>
            {people.map((p) => (
              <tr key={p.id}>
                <td className="anywhere">
                  {p.name} {p.id === self && <span className="tag">{t("people.you")}</span>} {p.state !== "active" && <span className="tag">{t(`personState.${p.state}`)}</span>}
                  <div className="sub">{p.login}</div>
                </td>
                <td>
                  {admin && p.id !== self ? (
                    <select className="input" style={{ minWidth: 0 }} aria-label={t("people.roleOf", { name: p.name })} value={p.role} disabled={change.isPending} onChange={(e) => change.mutate({ user: p, role: e.target.value as Role })}>
                      {roles.map((r) => (
                        <option key={r} value={r}>
                          {t(`role.${r}`)}
                        </option>
                      ))}
                    </select>
                  ) : (
                    t(`role.${p.role}`)
                  )}
                </td>
                <td className="narrow-hide">{p.teams.map((ref) => splitRef(ref).name).join(", ") || <span className="dim">–</span>}</td>
                <td className="narrow-hide">{p.signedInAt ? <Ago at={p.signedInAt} /> : <span className="dim">{t("never")}</span>}</td>
                {admin && (
                  <td>
                    {p.id !== self && (
                      <div className="row">
                        {p.state === "disabled" ? (
                          <button className="smallbtn" disabled={change.isPending} onClick={() => change.mutate({ user: p, disabled: false })}>
                            {t("people.enable")}
                          </button>
                        ) : (
                          <>
                            <button className="smallbtn" disabled={reinvite.isPending} onClick={() => reinvite.mutate(p.id)}>
                              {t("people.newLink")}
                            </button>
                            <ConfirmButton label={t("people.disable")} title={t("people.disableTitle", { name: p.name })} busy={change.isPending} onConfirm={() => change.mutate({ user: p, disabled: true })}>
                              {t("people.disableWhat")}
                            </ConfirmButton>
                          </>
                        )}
                      </div>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

function Invite() {
  const { t } = useTranslation();
  const [role, setRole] = useState<Role>("responder");
  const invite = useChange(["access"], (body: { name: string; login: string; role: Role }) => api.POST("/api/v1/users", { body }));
  const made = invite.data?.data;
  return (
    <Section title={t("invite.title")} note={t("invite.note")}>
      <form
        className="filters"
        onSubmit={(e) => {
          e.preventDefault();
          const form = new FormData(e.currentTarget);
          invite.mutate({ name: String(form.get("name")), login: String(form.get("email")), role });
        }}
      >
        <label className="field">
          {t("people.name")}
          <input name="name" required autoComplete="off" maxLength={100} />
        </label>
        <label className="field">
          {t("people.email")}
          <input name="email" type="email" required autoComplete="off" />
        </label>
        <label className="field">
          {t("people.role")}
          <select value={role} onChange={(e) => setRole(e.target.value as Role)}>
            {roles.map((r) => (
              <option key={r} value={r}>
                {t(`role.${r}`)}
              </option>
            ))}
          </select>
        </label>
        <button className="smallbtn main" style={{ height: "2.125rem" }} disabled={invite.isPending}>
          {t("invite.do")}
        </button>
      </form>
      {invite.isError && <Failed error={invite.error} />}
      {made && <LinkBanner name={made.user.name} link={made.link} />}
    </Section>
  );
}

/** A one-time link, shown once. */
function LinkBanner({ name, link }: { name: string; link: { url: string; expiresAt: string } }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <div className="banner" data-tone="ok" role="status">
      <div className="title">{t("invite.made", { name })}</div>
      <div>{t("invite.madeWhat", { time: f.dateTime(link.expiresAt) })}</div>
      <Code text={link.url} />
    </div>
  );
}

/** What each role may do, as the server enforces it. */
function Roles() {
  const { t } = useTranslation();
  const query = useQuery(rolesQuery(useLang()));
  return (
    <Section title={t("roles.title")}>
      <Loaded query={query}>
        {(data) => (
          <dl className="diff">
            {(data.items ?? []).map((r) => (
              <Meaning key={r.role} name={r.title} text={r.about} />
            ))}
            <Meaning name={t("roles.ownerName")} text={t("roles.owner")} />
          </dl>
        )}
      </Loaded>
    </Section>
  );
}

function Meaning({ name, text }: { name: string; text: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </>
  );
}
