import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { me } from "../../api/queries";
import type { SLOSearch } from "../../app/urlState";
import { Dialog } from "../../parts/Dialog";
import { searchOf, useViews } from "./views";

/** Named states of the list: one press brings filters, order and grouping back. */
export function Views({ search }: { search: SLOSearch }) {
  const { t } = useTranslation();
  const who = useQuery(me());
  const { views, save, remove } = useViews(who.data?.id);
  const [asking, setAsking] = useState(false);
  const [name, setName] = useState("");
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!name.trim()) return;
    save(name.trim(), search);
    setAsking(false);
    setName("");
  };
  return (
    <div className="row small views">
      {views.length > 0 && (
        <nav className="chips wrap" aria-label={t("views.title")}>
          {views.map((v) => (
            <Link key={v.name} to="/slos" search={searchOf(v)} activeOptions={{ exact: true, includeSearch: true }}>
              {v.name}
            </Link>
          ))}
        </nav>
      )}
      <button className="linkbtn" onClick={() => setAsking(true)}>
        {views.length > 0 ? t("views.manage") : t("views.save")}
      </button>
      <Dialog opened={asking} onClose={() => setAsking(false)} title={t("views.title")}>
        <p className="small dim">{t("views.what")}</p>
        <form onSubmit={submit} className="filters" style={{ margin: "0.75rem 0" }}>
          <label className="field">
            {t("views.name")}
            <input data-autofocus value={name} maxLength={60} required onChange={(e) => setName(e.target.value)} />
          </label>
          <button className="smallbtn main">{t("views.save")}</button>
        </form>
        {views.length > 0 && (
          <ul className="plainlist">
            {views.map((v) => (
              <li key={v.name} className="row between">
                <span className="anywhere">{v.name}</span>
                <button className="smallbtn danger" onClick={() => remove(v.name)} aria-label={t("views.removeOf", { name: v.name })}>
                  {t("views.remove")}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Dialog>
    </div>
  );
}
