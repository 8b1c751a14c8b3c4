import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Duty, ScheduleCalendar } from "../../api/types";
import { useLang, useSay } from "../../i18n";
import { byDay, wallClock, weeksOf, type Piece } from "./days";
import { People } from "./parts";

/** A month as weeks, of what results or of one layer by itself. */
export function MonthCalendar({ month, calendar }: { month: string; calendar: ScheduleCalendar }) {
  const { t } = useTranslation();
  const [layer, setLayer] = useState(-1);
  const zone = calendar.timeZone;
  const shown = layer >= 0 ? calendar.layers?.[layer]?.shifts : calendar.final;
  const days = useMemo(() => byDay(shown ?? [], zone), [shown, zone]);
  const holidays = useMemo(() => new Map((calendar.holidays ?? []).map((h) => [h.date, h.name])), [calendar.holidays]);
  const today = wallClock(Date.now(), zone).date;
  return (
    <>
      <span className="chips wrap" role="group" aria-label={t("oncall.calendar")} style={{ alignSelf: "flex-start" }}>
        <button aria-pressed={layer < 0} onClick={() => setLayer(-1)}>
          {t("oncall.result")}
        </button>
        {(calendar.layers ?? []).map((l, i) => (
          <button key={l.name} aria-pressed={layer === i} onClick={() => setLayer(i)}>
            {l.name}
          </button>
        ))}
      </span>
      <div className="tablebox" role="group" tabIndex={0} aria-label={t("oncall.calendar")}>
        <table className="month">
          <thead>
            <Weekdays />
          </thead>
          <tbody>
            {weeksOf(month).map((week) => (
              <tr key={week[0]}>
                {week.map((date, i) => (
                  <td key={date} data-out={date.slice(0, 7) !== month || undefined} data-off={i > 4 || holidays.has(date) || undefined} aria-current={date === today ? "date" : undefined}>
                    <Day date={date} pieces={days.get(date) ?? []} holiday={holidays.get(date)} gaps={layer < 0 ? calendar.gaps : undefined} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Weekdays() {
  const lang = useLang();
  const name = (i: number) => new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + i)); // a Monday
  return (
    <tr>
      {[0, 1, 2, 3, 4, 5, 6].map((i) => (
        <th key={i} scope="col">
          {name(i)}
        </th>
      ))}
    </tr>
  );
}

function Day({ date, pieces, holiday, gaps }: { date: string; pieces: Piece<Duty>[]; holiday?: { en: string; ja: string }; gaps: ScheduleCalendar["gaps"] | undefined }) {
  const { t } = useTranslation();
  const say = useSay();
  const missing = (d: Duty) => !!gaps?.some((g) => Date.parse(g.from) < Date.parse(d.to) && Date.parse(g.to) > Date.parse(d.from));
  const told = pieces.filter(({ shift: d }) => d.people?.length || (d.role === "primary" && missing(d)));
  return (
    <>
      <div className="row between">
        <span className="tab">{Number(date.slice(8))}</span>
        {holiday && <span className="dim small">{say(holiday)}</span>}
      </div>
      {told.map(({ shift: d, time }) => (
        <div key={d.role + d.from} className="piece" data-role={d.role} data-gap={!d.people?.length || undefined}>
          {time && <span className="tab dim">{time} </span>}
          <People people={d.people} />
          {d.role !== "primary" && <span className="dim"> ({t(`oncall.role.${d.role}`)})</span>}
          {!!d.source.overrides?.length && (
            <span className="dim" title={t("oncall.byOverride")}>
              {" "}
              ✎<span className="visually-hidden">{t("oncall.byOverride")}</span>
            </span>
          )}
        </div>
      ))}
    </>
  );
}
