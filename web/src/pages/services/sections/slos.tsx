import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ServiceSection } from "./section";
import { slos } from "../../../api/queries";
import type { ServiceDetail } from "../../../api/types";
import { useFormat } from "../../../format";
import { Empty, Loaded } from "../../../parts/Notice";
import { TableBox } from "../../../parts/Section";
import { Budget, Status } from "../../../parts/Status";
import { budgetOf, Exhausts, sliOf } from "../../slos/parts";

function SLOs({ service }: { service: ServiceDetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const query = useQuery(slos({ service: service.short, limit: 100 }));
  return (
    <Loaded query={query}>
      {(data) =>
        !data.items?.length ? (
          <Empty title={t("service.noSLOs")}>
            {t("service.noSLOsWhat")} <code>teiten apply slo.yaml</code>
          </Empty>
        ) : (
          <TableBox label={t("nav.slos")}>
            <table className="t mid">
              <thead>
                <tr>
                  <th scope="col">{t("slo.slo")}</th>
                  <th scope="col">{t("slo.status")}</th>
                  <th scope="col" className="num narrow-hide">
                    {t("slo.objective")}
                  </th>
                  <th scope="col" className="num narrow-hide">
                    {t("slo.sli")}
                  </th>
                  <th scope="col" className="num">
                    {t("slo.budgetLeft")}
                  </th>
                  <th scope="col" className="num narrow-hide">
                    {t("slo.burn1h")}
                  </th>
                  <th scope="col" className="num narrow-hide">
                    {t("slo.exhausts")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.items.map((s) => (
                  <tr key={s.name} data-tone={s.status === "burning" ? "bad" : undefined}>
                    <td>
                      <Link to="/slos/$name" params={{ name: s.name }}>
                        {s.title || s.name}
                      </Link>
                    </td>
                    <td>
                      <Status status={s.status} />
                    </td>
                    <td className="num narrow-hide">
                      {f.objective(s.objective)}
                      <div className="sub">{f.window(s.window.duration)}</div>
                    </td>
                    <td className="num narrow-hide">{f.sli(sliOf(s), s.objective)}</td>
                    <td className="num">
                      <Budget left={budgetOf(s)} status={s.status} low={s.budgetLow} high={s.budgetHigh} />
                    </td>
                    <td className="num narrow-hide">{f.burnRate(s.burnRates?.["1h"])}</td>
                    <td className="num narrow-hide">
                      <Exhausts slo={s} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
        )
      }
    </Loaded>
  );
}

export const slosSection: ServiceSection = { id: "slos", title: "nav.slos", order: 100, Body: SLOs };
