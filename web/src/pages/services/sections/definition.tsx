import { useTranslation } from "react-i18next";
import type { ServiceSection } from "./section";
import type { ServiceDetail } from "../../../api/types";
import { Managed, originOf } from "../../../parts/Managed";

function Definition({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  const links = service.links ?? [];
  return (
    <>
      <Managed origin={originOf(service)} />
      {links.length > 0 && (
        <ul className="tally" aria-label={t("service.links")}>
          {links.map((l) => (
            <li key={l.url}>
              <a href={/^https?:/i.test(l.url) ? l.url : undefined} rel="noreferrer" style={{ textDecoration: "underline", color: "var(--accent-text)" }}>
                {l.title || l.url}
              </a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export const definitionSection: ServiceSection = { id: "definition", title: "service.definition", order: 900, Body: Definition };
