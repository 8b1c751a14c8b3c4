import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { zoneName } from "../../format/time";

function useGo() {
  const navigate = useNavigate({ from: "/slos/$name" });
  return (asOf: string | undefined) => void navigate({ search: (old) => ({ ...old, asOf: asOf || undefined }), resetScroll: false });
}

/** Asks at which moment's knowledge to look. */
export function AskThen() {
  const { t } = useTranslation();
  const go = useGo();
  const [wish, setWish] = useState("");
  const submit = (e: FormEvent) => {
    e.preventDefault();
    go(wish);
  };
  return (
    <details className="fold boxed">
      <summary className="small">{t("asOf.ask")}</summary>
      <form className="filters" style={{ marginTop: "0.375rem" }} onSubmit={submit}>
        <label className="field">
          {t("asOf.label", { zone: zoneName() })}
          <input type="datetime-local" required value={wish} onChange={(e) => setWish(e.target.value)} />
        </label>
        <button className="smallbtn main" style={{ minHeight: "2.125rem" }}>
          {t("asOf.show")}
        </button>
      </form>
    </details>
  );
}

/** Says that the page shows what was known at an earlier time: late data and corrections change now, never then. */
export function Then({ asOf, slo }: { asOf: string; slo?: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const go = useGo();
  const began = slo?.backfill.startedAt;
  return (
    <div className="banner" data-tone="warn" role="status">
      <div className="title">{t("asOf.then", { time: f.dateTime(asOf) })}</div>
      <div className="small">{t("asOf.what")}</div>
      {slo?.total === 0 && began && Date.parse(began) > Date.parse(asOf) && <div>{t("asOf.before", { time: f.dateTime(began) })}</div>}
      <div className="row">
        <button className="smallbtn" onClick={() => go(undefined)}>
          {t("asOf.now")}
        </button>
      </div>
    </div>
  );
}
