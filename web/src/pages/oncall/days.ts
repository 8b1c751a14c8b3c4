/** Days of a month on the wall clock of a zone, for calendars. Pure. */

const civil = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  let f = civil.get(zone);
  if (!f) {
    f = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    civil.set(zone, f);
  }
  return f;
}

/** What the wall clock shows at an instant: its date, 2026-11-03, and its time, 09:00. */
export function wallClock(at: number, zone: string): { date: string; time: string } {
  const parts = Object.fromEntries(formatFor(zone).formatToParts(at).map((p) => [p.type, p.value]));
  return { date: `${parts.year}-${parts.month}-${parts.day}`, time: `${parts.hour}:${parts.minute}` };
}

/** The day after a date. */
export function nextDay(date: string): string {
  return new Date(Date.parse(date + "T00:00:00Z") + 86_400_000).toISOString().slice(0, 10);
}

/** The month that lies n after a month, 2026-11. */
export function monthAfter(month: string, n: number): string {
  const [y, m] = month.split("-").map(Number);
  return new Date(Date.UTC(y, m - 1 + n, 1)).toISOString().slice(0, 7);
}

/** A span of instants that surely holds the weeks of a month in every zone. */
export function spanOf(month: string): { from: string; to: string } {
  const begin = Date.parse(month + "-01T00:00:00Z");
  const end = Date.parse(monthAfter(month, 1) + "-01T00:00:00Z");
  return { from: new Date(begin - 8 * 86_400_000).toISOString(), to: new Date(end + 8 * 86_400_000).toISOString() };
}

/** The weeks of a month, Monday first, each of seven dates. */
export function weeksOf(month: string): string[][] {
  const first = new Date(month + "-01T00:00:00Z");
  let day = new Date(first.getTime() - ((first.getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10);
  const weeks: string[][] = [];
  while (weeks.length === 0 || day.slice(0, 7) === month) {
    const week: string[] = [];
    for (let i = 0; i < 7; i++) {
      week.push(day);
      day = nextDay(day);
    }
    weeks.push(week);
  }
  return weeks;
}

/** One shift on one day: from a time, or since before that day. */
export interface Piece<S> {
  shift: S;
  time: string | null;
}

/** What of shifts lies on each date, in order. */
export function byDay<S extends { from: string; to: string }>(shifts: S[], zone: string): Map<string, Piece<S>[]> {
  const days = new Map<string, Piece<S>[]>();
  for (const shift of shifts) {
    const begin = wallClock(Date.parse(shift.from), zone);
    const last = wallClock(Date.parse(shift.to) - 1, zone).date;
    for (let day = begin.date; day <= last; day = nextDay(day)) {
      const piece = { shift, time: day === begin.date && begin.time !== "00:00" ? begin.time : null };
      const there = days.get(day);
      if (there) there.push(piece);
      else days.set(day, [piece]);
    }
  }
  return days;
}
