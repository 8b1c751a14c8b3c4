import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { schedules } from "../../api/queries";
import type { ScheduleSummary } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { Empty, Loaded } from "../../parts/Notice";
import { TableBox } from "../../parts/Section";
import { People, Wall } from "./parts";

/** Who is on call now and next, by every schedule. */
export function OncallPage() {
  const { t } = useTranslation();
  const query = useQuery(schedules());
  usePageTitle(t("nav.oncall"));
  return (
    <div className="page" style={{ gap: "1rem" }}>
      <div className="pagehead">
        <div className="row between">
          <h1>{t("nav.oncall")}</h1>
          <Link className="smallbtn" to="/edit" search={{ kind: "Schedule" }}>
            {t("oncall.new")}
          </Link>
        </div>
        <p className="dim small">{t("oncall.lead")}</p>
      </div>
      <Loaded query={query} lines={5}>
        {(data) =>
          data.items?.length ? (
            <Table items={data.items} />
          ) : (
            <Empty title={t("oncall.none")}>
              <p>{t("oncall.noneWhat")}</p>
              <code>teiten apply oncall.yaml</code>
            </Empty>
          )
        }
      </Loaded>
    </div>
  );
}

function Table({ items }: { items: ScheduleSummary[] }) {
  const { t } = useTranslation();
  return (
    <TableBox label={t("nav.oncall")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("oncall.schedule")}</th>
            <th scope="col">{t("oncall.now")}</th>
            <th scope="col">{t("oncall.next")}</th>
            <th scope="col" className="narrow-hide">
              {t("oncall.gapAhead")}
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((s) => (
            <tr key={s.name} data-tone={missed(s) ? "bad" : s.gap ? "warn" : undefined}>
              <td>
                <Link to="/oncall/$name" params={{ name: s.name }}>
                  {s.title || s.name}
                </Link>
                <div className="sub">{s.owner}</div>
              </td>
              <td>
                <Duties duties={s.now} zone={s.timeZone} end missed={missed(s)} />
              </td>
              <td>
                <Duties duties={s.next} zone={s.timeZone} />
              </td>
              <td className="narrow-hide">{s.gap ? <Wall at={s.gap.from} zone={s.timeZone} /> : <span className="dim">{t("oncall.noGap")}</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

/** Whether somebody has to be on call now and nobody is. */
export const missed = (s: ScheduleSummary) => !!s.gap && Date.parse(s.gap.from) <= Date.now();

function Duties({ duties, zone, end, missed }: { duties: ScheduleSummary["now"]; zone: string; end?: boolean; missed?: boolean }) {
  const { t } = useTranslation();
  const shown = (duties ?? []).filter((d) => d.role === "primary" || d.people?.length);
  if (!shown.length) return <span className="dim">–</span>;
  return (
    <>
      {shown.map((d) => (
        <div key={d.role}>
          {d.role !== "primary" && <span className="tag">{t(`oncall.role.${d.role}`)}</span>} {d.people?.length || missed ? <People people={d.people} /> : <span className="dim">–</span>}
          {d.role === "primary" && !!d.people?.length && (
            <div className="sub">
              {t(end ? "oncall.until" : "oncall.from")} <Wall at={end ? d.to : d.from} zone={zone} />
            </div>
          )}
        </div>
      ))}
    </>
  );
}
