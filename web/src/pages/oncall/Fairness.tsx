import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { scheduleFairness } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { useFormat } from "../../format";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { People } from "./parts";

const ranges = { past30: [-30, 0], past90: [-90, 0], next90: [0, 90] } as const;
type Range = keyof typeof ranges;
const dayMs = 86_400_000;

/** What fell, or will fall, to each person. */
export function Fairness({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const f = useFormat();
  const [range, setRange] = useState<Range>("next90");
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const span = useMemo(() => ({ from: new Date(hour + ranges[range][0] * dayMs).toISOString(), to: new Date(hour + ranges[range][1] * dayMs).toISOString() }), [range, hour]);
  const query = useQuery(scheduleFairness(schedule.name, span));
  return (
    <Section title={t("oncall.fairness")} note={t("oncall.fairnessNote")}>
      <span className="chips" role="group" aria-label={t("oncall.when")} style={{ alignSelf: "flex-start" }}>
        {(Object.keys(ranges) as Range[]).map((r) => (
          <button key={r} aria-pressed={r === range} onClick={() => setRange(r)}>
            {t(`oncall.range.${r}`)}
          </button>
        ))}
      </span>
      <Loaded query={query} lines={3}>
        {(data) =>
          data.items?.length ? (
            <TableBox label={t("oncall.fairness")}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col">{t("oncall.who")}</th>
                    {(["hours", "nights", "weekends", "holidays", "shifts", "pages"] as const).map((k) => (
                      <th key={k} scope="col" className="num">
                        {t(`oncall.${k}`)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {data.items.map((x) => (
                    <tr key={x.person.id}>
                      <td>
                        <People people={[x.person]} />
                      </td>
                      {[x.hours, x.nights, x.weekends, x.holidays, x.shifts, x.pages].map((v, i) => (
                        <td key={i} className="num">
                          {v === undefined ? "–" : f.number(v, 0)}
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableBox>
          ) : (
            <Empty title={t("oncall.nobodyServed")}>{t("oncall.nobodyServedWhat")}</Empty>
          )
        }
      </Loaded>
    </Section>
  );
}
