import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { retiredInstances, sloPage } from "../../api/queries";
import type { Instances as Parts, SLODetail } from "../../api/types";
import { statuses } from "../../app/urlState";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";
import { labelsText } from "./parts";
import { ListTable, SLORow } from "./SLOTable";

/** How many instances stand on the page of their objective; the others are a list of their own. */
const shown = 10;

/** The instances of an objective that is taken apart by labels: the worst first, and those that are gone. */
export function Instances({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const parts = slo.instances;
  const query = useQuery({ ...sloPage({ of: slo.name, sort: "status", limit: shown, offset: 0 }), enabled: !!parts });
  if (!parts) return null;
  return (
    <Section
      id={id}
      title={t("instances.title", { by: (parts.by ?? []).join(", ") })}
      note={t("instances.count", { count: parts.count, number: f.number(parts.count), limit: f.number(parts.limit) })}
      more={
        <Link to="/slos" search={{ of: slo.name }}>
          {t("instances.all", { number: f.number(parts.count) })}
        </Link>
      }
    >
      {parts.state !== "ok" && (
        <div className="banner" data-tone="warn">
          <div className="title">{t("instances.refused", { count: parts.refused ?? 0, number: f.number(parts.refused ?? 0) })}</div>
          {parts.reason && <div className="sentence">{say(parts.reason)}</div>}
        </div>
      )}
      <Tally parts={parts} of={slo.name} />
      <Loaded query={query} lines={4}>
        {(data) =>
          data.items?.length ? (
            <ListTable count={data.items.length}>
              <tbody>
                {data.items.map((x) => (
                  <SLORow key={x.name} slo={x} />
                ))}
              </tbody>
            </ListTable>
          ) : (
            <Empty title={t("instances.none")}>{t("instances.noneWhat")}</Empty>
          )
        }
      </Loaded>
      {parts.retired > 0 && <Retired name={slo.name} count={parts.retired} />}
    </Section>
  );
}

function Tally({ parts, of }: { parts: Parts; of: string }) {
  const { t } = useTranslation();
  const f = useFormat();
  return (
    <ul className="tally small">
      {statuses
        .filter((s) => parts.byStatus[s] > 0)
        .map((s) => (
          <li key={s}>
            <Link to="/slos" search={{ of, status: s }}>
              {t(`status.${s}`)} <b>{f.number(parts.byStatus[s])}</b>
            </Link>
          </li>
        ))}
    </ul>
  );
}

/** Instances that were absent for long. Their history is kept. */
function Retired({ name, count }: { name: string; count: number }) {
  const { t } = useTranslation();
  const f = useFormat();
  const [asked, setAsked] = useState(false);
  const query = useQuery({ ...retiredInstances(name), enabled: asked });
  return (
    <details className="fold boxed" onToggle={(e) => setAsked(e.currentTarget.open)}>
      <summary>{t("instances.retired", { count, number: f.number(count) })}</summary>
      {asked && (
        <Loaded query={query} lines={3}>
          {(data) => (
            <TableBox label={t("instances.retired", { count, number: f.number(count) })}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col">{t("instances.instance")}</th>
                    <th scope="col">{t("instances.found")}</th>
                    <th scope="col">{t("instances.gone")}</th>
                  </tr>
                </thead>
                <tbody>
                  {(data.items ?? []).map((x) => (
                    <tr key={x.name}>
                      <td className="anywhere">
                        <Link to="/slos/$name" params={{ name: x.name }}>
                          {labelsText(x.labels, t("group.without"))}
                        </Link>
                      </td>
                      <td>
                        <At at={x.foundAt} short />
                      </td>
                      <td>
                        <At at={x.retiredAt} short />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableBox>
          )}
        </Loaded>
      )}
    </details>
  );
}
