import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me, tokens } from "../../api/queries";
import { Code } from "../../parts/Code";
import { ConfirmButton } from "../../parts/Confirm";
import { useChange } from "../../parts/mutation";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { Ago, At } from "../../parts/Time";

export function Tokens() {
  const { t } = useTranslation();
  const query = useQuery(tokens());
  const revoke = useChange(["access"], (id: string) => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
  return (
    <>
      <Section title={t("settings.tokens")} note={t("tokens.note")}>
        {revoke.isError && <Failed error={revoke.error} />}
        <Loaded query={query}>
          {(data) =>
            !data.items?.length ? (
              <Empty title={t("tokens.none")}>{t("tokens.noneWhat")}</Empty>
            ) : (
              <TableBox label={t("settings.tokens")}>
                <table className="t mid">
                  <thead>
                    <tr>
                      <th scope="col">{t("tokens.name")}</th>
                      <th scope="col" className="narrow-hide">
                        {t("tokens.scopes")}
                      </th>
                      <th scope="col" className="narrow-hide">
                        {t("tokens.used")}
                      </th>
                      <th scope="col">{t("tokens.expires")}</th>
                      <th scope="col">{t("actions")}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.items.map((k) => (
                      <tr key={k.id}>
                        <td>
                          {k.name} <span className="tag">{t(`tokenKind.${k.kind}`)}</span>
                          <div className="sub">
                            <code>{k.hint}</code>
                          </div>
                        </td>
                        <td className="narrow-hide anywhere">
                          <code>{(k.scopes ?? []).join(" ")}</code>
                        </td>
                        <td className="narrow-hide">{k.lastUsedAt ? <Ago at={k.lastUsedAt} /> : <span className="dim">{t("never")}</span>}</td>
                        <td>
                          <At at={k.expiresAt} short />
                        </td>
                        <td>
                          <ConfirmButton label={t("tokens.revoke")} title={t("tokens.revokeTitle", { name: k.name })} busy={revoke.isPending} onConfirm={() => revoke.mutate(k.id)}>
                            {t("tokens.revokeWhat")}
                          </ConfirmButton>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </TableBox>
            )
          }
        </Loaded>
      </Section>
      <Create />
    </>
  );
}

const days = [7, 30, 90, 365];

function Create() {
  const { t } = useTranslation();
  const who = useQuery(me());
  const [chosen, setChosen] = useState<string[]>([]);
  const create = useChange(["access"], (body: { name: string; kind: "personal" | "service"; scopes: string[]; days: number }) => api.POST("/api/v1/tokens", { body }));
  const made = create.data?.data;
  return (
    <Section title={t("tokens.create")} note={t("tokens.createNote")}>
      {made && (
        <div className="banner" data-tone="ok" role="status">
          <div className="title">{t("tokens.made", { name: made.info.name })}</div>
          <div>{t("tokens.madeWhat")}</div>
          <Code text={made.token} />
        </div>
      )}
      {create.isError && <Failed error={create.error} />}
      <form
        className="section"
        onSubmit={(e) => {
          e.preventDefault();
          const form = new FormData(e.currentTarget);
          create.mutate({ name: String(form.get("name")), kind: form.get("kind") === "service" ? "service" : "personal", scopes: chosen, days: Number(form.get("days")) });
        }}
      >
        <div className="filters">
          <label className="field">
            {t("tokens.name")}
            <input name="name" required maxLength={100} autoComplete="off" />
          </label>
          <label className="field">
            {t("tokens.kind")}
            <select name="kind" defaultValue="personal">
              <option value="personal">{t("tokenKind.personal")}</option>
              {who.data?.role === "admin" && <option value="service">{t("tokenKind.service")}</option>}
            </select>
          </label>
          <label className="field">
            {t("tokens.lasts")}
            <select name="days" defaultValue="90">
              {days.map((n) => (
                <option key={n} value={n}>
                  {t("tokens.days", { count: n })}
                </option>
              ))}
            </select>
          </label>
        </div>
        <fieldset style={{ border: "1px solid var(--line-strong)", borderRadius: 6 }}>
          <legend className="small dim">{t("tokens.scopes")}</legend>
          <div className="row" style={{ gap: "0.25rem 1.25rem" }}>
            {(who.data?.scopes ?? []).map((s) => (
              <label key={s} className="check">
                <input type="checkbox" checked={chosen.includes(s)} onChange={(e) => setChosen(e.target.checked ? [...chosen, s] : chosen.filter((c) => c !== s))} />
                <code>{s}</code>
              </label>
            ))}
          </div>
        </fieldset>
        <div>
          <button className="smallbtn main" disabled={create.isPending || chosen.length === 0}>
            {t("tokens.create")}
          </button>{" "}
          {chosen.length === 0 && <span className="dim small">{t("tokens.chooseScope")}</span>}
        </div>
      </form>
    </Section>
  );
}
