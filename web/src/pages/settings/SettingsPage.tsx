import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { NotFound } from "../../app/Fallbacks";
import { usePageTitle } from "../../app/title";
import { settingsSections } from "./sections";

/** Who may do what, where messages go, and how the system itself is. */
export function SettingsPage() {
  const { t } = useTranslation();
  const { section } = useParams({ from: "/settings/$section" });
  const shown = settingsSections.find((s) => s.id === section);
  usePageTitle(shown && `${t(shown.title)} · ${t("nav.settings")}`);
  if (!shown) return <NotFound />;
  return (
    <div className="page">
      <div className="pagehead">
        <h1>{t("nav.settings")}</h1>
      </div>
      <nav aria-label={t("nav.settings")}>
        <ul className="subnav">
          {settingsSections.map((s) => (
            <li key={s.id}>
              <Link to="/settings/$section" params={{ section: s.id }} activeProps={{ className: "active", "aria-current": "page" }}>
                {t(s.title)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <shown.Body />
    </div>
  );
}
