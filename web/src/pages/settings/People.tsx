import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me, users } from "../../api/queries";
import type { User } from "../../api/types";
import { useFormat } from "../../format";
import { Code } from "../../parts/Code";
import { ConfirmButton } from "../../parts/Confirm";
import { useChange } from "../../parts/mutation";
import { Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago } from "../../parts/Time";

const roles = ["viewer", "responder", "editor", "admin"] as const;

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
  const change = useChange(["access"], ({ id, ...body }: { id: string; role?: string; disabled?: boolean }) => api.PATCH("/api/v1/users/{id}", { params: { path: { id } }, body }));
  return (
    <>
      {change.isError && <Failed error={change.error} />}
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
                  {p.name} {p.id === self && <span className="tag">{t("people.you")}</span>} {p.invited && <span className="tag">{t("people.invited")}</span>}{" "}
                  {p.disabled && <span className="tag">{t("people.disabled")}</span>}
                  <div className="sub">{p.email}</div>
                </td>
                <td>
                  {admin && p.id !== self ? (
                    <select className="input" style={{ minWidth: 0 }} aria-label={t("people.roleOf", { name: p.name })} value={p.role} disabled={change.isPending} onChange={(e) => change.mutate({ id: p.id, role: e.target.value })}>
                      {roles.map((r) => (
                        <option key={r} value={r}>
                          {t(`role.${r}`)}
                        </option>
                      ))}
                    </select>
                  ) : (
                    t(`role.${p.role as "viewer"}`, { defaultValue: p.role })
                  )}
                </td>
                <td className="narrow-hide">{(p.owns ?? []).join(", ") || <span className="dim">–</span>}</td>
                <td className="narrow-hide">{p.lastSignInAt ? <Ago at={p.lastSignInAt} /> : <span className="dim">{t("never")}</span>}</td>
                {admin && (
                  <td>
                    {p.id !== self &&
                      (p.disabled ? (
                        <button className="smallbtn" disabled={change.isPending} onClick={() => change.mutate({ id: p.id, disabled: false })}>
                          {t("people.enable")}
                        </button>
                      ) : (
                        <ConfirmButton label={t("people.disable")} title={t("people.disableTitle", { name: p.name })} busy={change.isPending} onConfirm={() => change.mutate({ id: p.id, disabled: true })}>
                          {t("people.disableWhat")}
                        </ConfirmButton>
                      ))}
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
  const f = useFormat();
  const [role, setRole] = useState<string>("responder");
  const invite = useChange(["access"], (body: { name: string; email: string; role: string }) => api.POST("/api/v1/users", { body }));
  const made = invite.data?.data;
  return (
    <Section title={t("invite.title")} note={t("invite.note")}>
      <form
        className="filters"
        onSubmit={(e) => {
          e.preventDefault();
          const form = new FormData(e.currentTarget);
          invite.mutate({ name: String(form.get("name")), email: String(form.get("email")), role });
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
          <select value={role} onChange={(e) => setRole(e.target.value)}>
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
      {made && (
        <div className="banner" data-tone="ok" role="status">
          <div className="title">{t("invite.made", { name: made.user.name })}</div>
          <div>{t("invite.madeWhat", { time: f.dateTime(made.expiresAt) })}</div>
          <Code text={made.link} />
        </div>
      )}
    </Section>
  );
}

function Roles() {
  const { t } = useTranslation();
  return (
    <Section title={t("roles.title")}>
      <dl className="diff">
        {roles.map((r) => (
          <Meaning key={r} name={t(`role.${r}`)} text={t(`roles.${r}`)} />
        ))}
        <Meaning name={t("roles.ownerName")} text={t("roles.owner")} />
      </dl>
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
