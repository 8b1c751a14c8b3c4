import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ServiceSection } from "./section";
import { sloCounts } from "../../../api/queries";
import type { Dependency, ServiceDetail } from "../../../api/types";
import { Status } from "../../../parts/Status";

function List({ title, none, dependencies }: { title: string; none: string; dependencies: Dependency[] }) {
  const { t } = useTranslation();
  const counts = useQuery(sloCounts("service"));
  const worst = new Map((counts.data?.items ?? []).map((c) => [c.key, c.worst?.status]));
  return (
    <div className="section" style={{ gap: "0.375rem" }}>
      <h3>{title}</h3>
      {dependencies.length === 0 ? (
        <p className="small dim">{none}</p>
      ) : (
        <ul className="loglist">
          {dependencies.map((d) => {
            const status = worst.get(d.name);
            return (
              <li key={d.ref}>
                {status ? <Status status={status} /> : <span className="dim">{t("services.noSLOs")}</span>}
                <div className="anywhere">
                  {d.known && /^(service|component)$/i.test(d.kind) ? (
                    <Link to="/services/$name" params={{ name: d.name }}>
                      {d.title || d.name}
                    </Link>
                  ) : (
                    d.title || d.name
                  )}{" "}
                  <span className="tag">{d.kind}</span> {!d.known && <span className="tag">{t("service.notInCatalog")}</span>}
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function Dependencies({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  return (
    <div className="cols">
      <List title={t("service.dependsOn")} none={t("service.dependsOnNone")} dependencies={service.dependsOn ?? []} />
      <List title={t("service.dependedBy")} none={t("service.dependedByNone")} dependencies={service.dependedBy ?? []} />
    </div>
  );
}

export const dependenciesSection: ServiceSection = { id: "dependencies", title: "service.dependencies", order: 300, Body: Dependencies };
