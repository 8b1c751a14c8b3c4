import { useTranslation } from "react-i18next";
import type { Schedule } from "../../api/types";
import { wallClock } from "./days";

/** The wall clock of a zone some days from now, as a form field holds it, on the hour. */
export function localNow(zone: string, days: number): string {
  const { date, time } = wallClock(Date.now() + days * 86_400_000 + 3_600_000, zone);
  return `${date}T${time.slice(0, 2)}:00`;
}

/** The instant at which the wall clock of a zone shows a time; the first where it does so twice. */
export function instantOf(local: string, zone: string): string {
  const wanted = Date.parse(local + ":00Z");
  const shown = (at: number) => {
    const { date, time } = wallClock(at, zone);
    return Date.parse(`${date}T${time}:00Z`);
  };
  // The offset holds, or is the one on the other side of a change of the clock.
  for (const near of [wanted - 86_400_000, wanted + 86_400_000]) {
    const at = wanted - (shown(near) - near);
    if (shown(at) === wanted) return new Date(at).toISOString();
  }
  return new Date(wanted - (shown(wanted - 86_400_000) - (wanted - 86_400_000))).toISOString(); // in a gap: as if the clock had not changed
}

/** Somebody of the schedule. */
export function PersonField({ schedule, label, value, any, only, onChange }: { schedule: Schedule; label: string; value: string; any?: string; only?: string; onChange: (id: string) => void }) {
  const people = (schedule.people ?? []).filter((p) => !only || p.id === only);
  const shown = only && !people.length ? [{ id: only, name: only }] : people;
  return (
    <label className="field">
      {label}
      <select value={value} required={any === undefined} onChange={(e) => onChange(e.target.value)}>
        {any !== undefined && <option value="">{any}</option>}
        {shown.map((p) => (
          <option key={p.id} value={p.id}>
            {p.name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function RoleField({ value, onChange }: { value: string; onChange: (role: string) => void }) {
  const { t } = useTranslation();
  return (
    <label className="field">
      {t("oncall.role")}
      <select value={value} onChange={(e) => onChange(e.target.value)}>
        {(["primary", "secondary", "shadow"] as const).map((r) => (
          <option key={r} value={r}>
            {t(`oncall.role.${r}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** From and to, on the schedule's wall clock. */
export function TimeFields({ zone, from, to, onChange }: { zone: string; from: string; to: string; onChange: (change: { from?: string; to?: string }) => void }) {
  const { t } = useTranslation();
  return (
    <div className="filters">
      <label className="field">
        {t("oncall.begin")} ({zone})
        <input type="datetime-local" required value={from} onChange={(e) => onChange({ from: e.target.value })} />
      </label>
      <label className="field">
        {t("oncall.end")} ({zone})
        <input type="datetime-local" required value={to} onChange={(e) => onChange({ to: e.target.value })} />
      </label>
    </div>
  );
}
