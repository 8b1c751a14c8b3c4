import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { schedule as scheduleQuery, scheduleShifts } from "../../api/queries";
import type { Schedule } from "../../api/types";
import { usePageTitle } from "../../app/title";
import { Managed, originOf } from "../../parts/Managed";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";
import { MonthCalendar } from "./Calendar";
import { Fairness } from "./Fairness";
import { Feeds } from "./Feeds";
import { Handover } from "./Handover";
import { missed } from "./OncallPage";
import { Overrides } from "./Overrides";
import { People, Span, Wall } from "./parts";
import { Swaps } from "./Swaps";
import { monthAfter, spanOf, wallClock } from "./days";

/** One schedule: who is on call and why, the month, what people changed, and what fell to whom. */
export function SchedulePage() {
  const { t } = useTranslation();
  const { name } = useParams({ from: "/oncall/$name" });
  const query = useQuery(scheduleQuery(name));
  usePageTitle(query.data?.title || name);
  return (
    <div className="page">
      <div className="pagehead">
        <nav className="crumbs" aria-label={t("crumbs")}>
          <Link to="/oncall">{t("nav.oncall")}</Link> <span aria-hidden>/</span> <span className="anywhere">{name}</span>
        </nav>
        <div className="row between">
          <h1 className="anywhere">{query.data?.title || name}</h1>
          <Link className="smallbtn" to="/edit" search={{ kind: "Schedule", name }}>
            {t("oncall.edit")}
          </Link>
        </div>
        {query.data && <About schedule={query.data} />}
      </div>
      <Loaded query={query} lines={8}>
        {(schedule) => (
          <>
            <State schedule={schedule} />
            <Handover schedule={schedule} />
            <Month schedule={schedule} />
            <Swaps schedule={schedule} />
            <Fairness schedule={schedule} />
            <Feeds schedule={schedule} />
            <Versions schedule={schedule} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function About({ schedule: s }: { schedule: Schedule }) {
  const { t } = useTranslation();
  return (
    <>
      {s.description && <p className="small anywhere">{s.description}</p>}
      <div className="row dim small">
        <span>
          {t("slo.owner")}: {s.owner}
        </span>
        <span>
          {t("oncall.zone")}: {s.timeZone}
        </span>
        <Managed origin={originOf(s)} />
      </div>
    </>
  );
}

/** Who is on call now, until when, and what says so. */
function State({ schedule: s }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const alone = !s.now?.some((d) => d.role === "primary" && d.people?.length);
  const tone = missed(s) ? "bad" : s.gap ? "warn" : "ok";
  return (
    <div className="banner" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      {alone && <div className="title">{t(missed(s) ? "oncall.nobodyNow" : "oncall.notNeeded")}</div>}
      {(s.now ?? [])
        .filter((d) => d.people?.length)
        .map((d) => (
          <div key={d.role}>
            <div className={d.role === "primary" ? "title" : undefined}>
              <span className="tag">{t(`oncall.role.${d.role}`)}</span> <People people={d.people} /> <span className="dim small">{t("oncall.until")}</span> <Wall at={d.to} zone={s.timeZone} />
            </div>
            <div className="small dim anywhere">
              {t("oncall.because")}: {d.source.layer}
              {d.source.file && (
                <>
                  {" "}
                  <code>
                    {d.source.file}:{d.source.line}
                  </code>
                </>
              )}
              {!!d.source.overrides?.length && " · " + t("oncall.byOverride")}
            </div>
          </div>
        ))}
      {s.gap && !missed(s) && (
        <div className="small">
          {t("oncall.gapAhead")}: <Span from={s.gap.from} to={s.gap.to} zone={s.timeZone} />
        </div>
      )}
    </div>
  );
}

/** A month of the schedule: the calendar, its gaps, and what people changed in it. */
function Month({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const search = useSearch({ from: "/oncall/$name" });
  const navigate = useNavigate({ from: "/oncall/$name" });
  const month = search.month ?? wallClock(Date.now(), schedule.timeZone).date.slice(0, 7);
  const query = useQuery(scheduleShifts(schedule.name, { ...spanOf(month), as: search.as ?? "then" }));
  const walk = (n: number) => void navigate({ search: (old) => ({ ...old, month: monthAfter(month, n) }), replace: true });
  const inMonth = (s: { from: string; to: string }) => wallClock(Date.parse(s.from), schedule.timeZone).date.slice(0, 7) <= month && wallClock(Date.parse(s.to) - 1, schedule.timeZone).date.slice(0, 7) >= month;
  return (
    <>
      <Section title={t("oncall.calendar")} note={t("oncall.calendarNote", { zone: schedule.timeZone })}>
        <div className="row">
          <button className="smallbtn" onClick={() => walk(-1)} aria-label={t("oncall.previous")}>
            ←
          </button>
          <input className="input" type="month" aria-label={t("oncall.month")} value={month} onChange={(e) => e.target.value && void navigate({ search: (old) => ({ ...old, month: e.target.value }), replace: true })} />
          <button className="smallbtn" onClick={() => walk(1)} aria-label={t("oncall.following")}>
            →
          </button>
          <span className="chips" role="group" aria-label={t("oncall.as")}>
            {(["then", "now"] as const).map((as) => (
              <button key={as} aria-pressed={(search.as ?? "then") === as} onClick={() => void navigate({ search: (old) => ({ ...old, as: as === "then" ? undefined : as }), replace: true })}>
                {t(as === "then" ? "oncall.asThen" : "oncall.asNow")}
              </button>
            ))}
          </span>
        </div>
        <Loaded query={query} lines={10}>
          {(calendar) => <MonthCalendar month={month} calendar={calendar} />}
        </Loaded>
      </Section>
      {query.data && <Gaps gaps={(query.data.gaps ?? []).filter(inMonth)} zone={schedule.timeZone} />}
      {query.data && <Overrides schedule={schedule} items={(query.data.overrides ?? []).filter(inMonth)} />}
    </>
  );
}

const shownGaps = 10;

function Gaps({ gaps, zone }: { gaps: { from: string; to: string }[]; zone: string }) {
  const { t } = useTranslation();
  return (
    <Section title={t("oncall.gaps")} note={t("oncall.gapsNote")}>
      {gaps.length ? (
        <ul className="small">
          {gaps.slice(0, shownGaps).map((g) => (
            <li key={g.from}>
              <Span from={g.from} to={g.to} zone={zone} />
            </li>
          ))}
          {gaps.length > shownGaps && <li className="dim">{t("oncall.more", { count: gaps.length - shownGaps })}</li>}
        </ul>
      ) : (
        <Empty title={t("oncall.noGaps")}>{t("oncall.noGapsWhat")}</Empty>
      )}
    </Section>
  );
}

function Versions({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  return (
    <Section title={t("oncall.versions")} note={t("oncall.versionsNote")}>
      <TableBox label={t("oncall.versions")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col" className="num">
                {t("oncall.version")}
              </th>
              <th scope="col">{t("oncall.inForce")}</th>
              <th scope="col">{t("oncall.by")}</th>
            </tr>
          </thead>
          <tbody>
            {(schedule.versions ?? []).map((v) => (
              <tr key={v.number}>
                <td className="num">{v.number}</td>
                <td>
                  <At at={v.from} />
                </td>
                <td>{v.by.name}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </Section>
  );
}
