import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { service as serviceQuery, sloCounts } from "../../api/queries";
import type { ServiceDetail } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { Loaded } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { serviceSections } from "./sections";

/** The hub of a service: every room hangs its section in here (sections/index.ts). */
export function ServicePage() {
  const { name } = useParams({ from: "/services/$name" });
  const { t } = useTranslation();
  const query = useQuery(serviceQuery(name));
  const counts = useQuery(sloCounts("service"));
  const worst = counts.data?.items?.find((c) => c.key === (query.data?.short ?? name))?.worst;
  usePageTitle(query.data?.title || name);
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/services">{t("nav.services")}</Link> <span aria-hidden>/</span> <span className="anywhere">{name}</span>
        </nav>
        <div className="row">
          <h1 className="anywhere">{query.data?.title || name}</h1>
          {worst && <Status status={worst.status} />}
        </div>
        {query.data && <About service={query.data} />}
      </div>
      <Loaded query={query} lines={8}>
        {(service) => (
          <>
            <nav className="toc" aria-label={t("contents")}>
              <ul className="subnav">
                {serviceSections.map((s) => (
                  <li key={s.id}>
                    <a href={"#" + s.id}>{t(s.title)}</a>
                  </li>
                ))}
              </ul>
            </nav>
            {serviceSections.map(({ id, title, More, Body }) => (
              <Section key={id} id={id} title={t(title)} more={More && <More service={service} />}>
                <Body service={service} />
              </Section>
            ))}
          </>
        )}
      </Loaded>
    </div>
  );
}

function About({ service: s }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  return (
    <>
      {s.description && <p className="lead">{s.description}</p>}
      <div className="row dim small">
        <span>
          {t("slo.owner")}:{" "}
          {s.owner ? (
            <Link to="/services" search={{ owner: s.owner }}>
              {s.owner}
            </Link>
          ) : (
            t("services.noOwner")
          )}
        </span>
        {s.system && (
          <span>
            {t("services.system")}:{" "}
            <Link to="/services" search={{ system: s.system }}>
              {s.system}
            </Link>
          </span>
        )}
        {s.tier && <span className="tag">{t("slo.tierN", { n: s.tier })}</span>}
        {s.type && <span className="tag">{s.type}</span>}
        {s.lifecycle && <span className="tag">{s.lifecycle}</span>}
        {(s.tags ?? []).map((tag) => (
          <span key={tag} className="tag">
            {tag}
          </span>
        ))}
      </div>
    </>
  );
}
