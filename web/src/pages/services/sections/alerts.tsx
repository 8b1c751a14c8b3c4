import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ServiceSection } from "./section";
import { alerts } from "../../../api/queries";
import type { ServiceDetail } from "../../../api/types";
import { useSay } from "../../../i18n";
import { Loaded } from "../../../parts/Notice";
import { Severity } from "../../../parts/Status";
import { Ago } from "../../../parts/Time";

function Alerts({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  const say = useSay();
  const query = useQuery(alerts({ state: "firing", service: service.short, limit: 50 }));
  return (
    <Loaded query={query} lines={2}>
      {(data) =>
        !data.items?.length ? (
          <p className="small dim">{t("service.noAlerts")}</p>
        ) : (
          <ul className="loglist">
            {data.items.map((a) => (
              <li key={a.id}>
                <Severity severity={a.severity} />
                <div>
                  <Link to="/slos/$name" params={{ name: a.slo }} className="strong">
                    {a.title || a.slo}
                  </Link>{" "}
                  <span className="dim">
                    {t("alert.since")} <Ago at={a.since} />
                  </span>
                  <div className="sentence">{say(a.reason)}</div>
                </div>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

export const alertsSection: ServiceSection = { id: "alerts", title: "service.alerts", order: 200, Body: Alerts };
