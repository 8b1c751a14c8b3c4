import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { me } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { useChange } from "../../parts/mutation";
import { Empty, Failed } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Ago } from "../../parts/Time";

/** What the last shift left to this one, and what this one leaves to the next. */
export function Handover({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const who = useQuery(me());
  const note = schedule.handover;
  return (
    <Section title={t("oncall.handover")} note={t("oncall.handoverNote")}>
      {note ? (
        <blockquote className="note">
          <div className="anywhere" style={{ whiteSpace: "pre-wrap" }}>
            {note.body}
          </div>
          <div className="sub">
            {note.createdBy.name} · <Ago at={note.createdAt} />
          </div>
        </blockquote>
      ) : (
        <Empty title={t("oncall.noHandover")}>{t("oncall.noHandoverWhat")}</Empty>
      )}
      {who.data?.scopes?.includes("oncall:write") && <Write name={schedule.name} />}
    </Section>
  );
}

function Write({ name }: { name: string }) {
  const { t } = useTranslation();
  const [body, setBody] = useState("");
  const write = useChange(["oncall"], () => api.POST("/api/v1/schedules/{name}/handovers", { params: { path: { name } }, body: { body: body.trim() } }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    write.mutate(undefined, { onSuccess: () => setBody("") });
  };
  return (
    <form className="section" onSubmit={submit}>
      <label className="field">
        {t("oncall.handoverBody")}
        <textarea rows={3} required maxLength={20_000} value={body} onChange={(e) => setBody(e.target.value)} />
      </label>
      {write.isError && <Failed error={write.error} />}
      <div className="row">
        <button className="smallbtn" disabled={write.isPending || !body.trim()}>
          {t("oncall.handoverWrite")}
        </button>
      </div>
    </form>
  );
}
