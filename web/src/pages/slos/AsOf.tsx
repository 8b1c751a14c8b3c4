import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../format";
import { zoneName } from "../../format/time";

/**
 * Chooses at which moment's knowledge one looks: late data and corrections
 * change what is known now, never what was known then.
 */
export function AsOf({ asOf }: { asOf?: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  const navigate = useNavigate({ from: "/slos/$name" });
  const [wish, setWish] = useState("");
  const go = (at: string | undefined) => void navigate({ search: (old) => ({ ...old, asOf: at || undefined }), resetScroll: false });
  if (asOf)
    return (
      <div className="banner" data-tone="warn" role="status">
        <div className="title">{t("asOf.then", { time: f.dateTime(asOf) })}</div>
        <div className="small">{t("asOf.what")}</div>
        <div className="row">
          <button className="smallbtn" onClick={() => go(undefined)}>
            {t("asOf.now")}
          </button>
        </div>
      </div>
    );
  return (
    <details className="fold boxed">
      <summary className="small">{t("asOf.ask")}</summary>
      <form
        className="filters"
        style={{ marginTop: "0.375rem" }}
        onSubmit={(e) => {
          e.preventDefault();
          go(wish);
        }}
      >
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
