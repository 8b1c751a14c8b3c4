import { Link, type ErrorComponentProps } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { usePageTitle } from "./title";

/** Shown in a page's place when its code failed; the shell stays usable. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  usePageTitle(t("crash.title"));
  return (
    <div className="page">
      <div className="pagehead">
        <h1>{t("crash.title")}</h1>
        <p className="lead">{t("crash.what")}</p>
      </div>
      <div className="banner" data-tone="warn">
        <code className="anywhere">{error instanceof Error ? error.message : String(error)}</code>
      </div>
      <div className="row">
        <button className="smallbtn main" onClick={reset}>
          {t("error.again")}
        </button>
        <button className="smallbtn" onClick={() => location.reload()}>
          {t("crash.reload")}
        </button>
      </div>
    </div>
  );
}

export function NotFound() {
  const { t } = useTranslation();
  usePageTitle(t("notFound.title"));
  return (
    <div className="page">
      <div className="pagehead">
        <h1>{t("notFound.title")}</h1>
        <p className="lead">{t("notFound.what")}</p>
      </div>
      <div className="row">
        <Link to="/">{t("nav.now")}</Link>
        <Link to="/services">{t("nav.services")}</Link>
        <Link to="/slos">{t("nav.slos")}</Link>
      </div>
    </div>
  );
}
