import { useTranslation } from "react-i18next";
import type { SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { budgetTone } from "../../parts/Status";
import { Ago } from "../../parts/Time";
import { budgetOf, Exhausts, exhaustsWithin, sliOf } from "./parts";

/** The figures of the objective's window, each with how sure it is. */
export function Facts({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const left = budgetOf(slo);
  const tone = budgetTone(left, slo.status);
  const burn = (window: string) => (slo.known > 0 ? slo.burnRates?.[window] : undefined);
  const spare = left === undefined ? undefined : (1 - slo.objective) * slo.window.days * 86_400_000 * left;
  const sli = (v: number | undefined) => f.sli(v, slo.objective);
  return (
    <dl className="facts many">
      <div>
        <dt>{t("slo.sli")}</dt>
        <dd>
          {sli(sliOf(slo))}
          <Between low={slo.bounds.sliLow} high={slo.bounds.sliHigh} format={sli} />
          <small>{slo.calendar ? t("slo.promisedCalendar", { objective: f.objective(slo.objective) }) : t("slo.promised", { objective: f.objective(slo.objective), window: f.window(slo.window.duration) })}</small>
        </dd>
      </div>
      <div data-tone={tone === "bad" ? "bad" : tone === "ok" ? undefined : "warn"}>
        <dt>{t("slo.budgetLeft")}</dt>
        <dd>
          {f.budget(left)}
          <Between low={slo.bounds.budgetLow} high={slo.bounds.budgetHigh} format={f.budget} />
          <small>{spare !== undefined ? (spare >= 0 ? t("slo.spare", { time: f.duration(spare) }) : t("slo.over", { time: f.duration(-spare) })) : t("unknown")}</small>
        </dd>
      </div>
      <div>
        <dt>{t("slo.burn1h")}</dt>
        <dd>
          {f.burnRate(burn("1h"))}
          <small>{t("slo.burnOthers", { six: f.burnRate(burn("6h")), three: f.burnRate(burn("3d")) })}</small>
        </dd>
      </div>
      <div>
        <dt>{t("slo.exhausts")}</dt>
        <dd>
          <Exhausts slo={slo} />
          <small>{slo.exhaustsAt && exhaustsWithin(slo, Date.now()) ? t("slo.byForecast", { time: f.dateTime(slo.exhaustsAt), window: f.window(slo.forecasts.find((c) => c.fastest)?.window) }) : left === undefined ? t("unknown") : t("slo.fastest")}</small>
        </dd>
      </div>
      <div data-tone={slo.known < 0.95 ? "warn" : undefined}>
        <dt>{t("slo.known")}</dt>
        <dd>
          {f.percent(slo.known)}
          <small>
            {t("slo.updated")} <Ago at={slo.watermark ?? slo.updatedAt} />
          </small>
        </dd>
      </div>
      <Window slo={slo} />
      <Events slo={slo} />
    </dl>
  );
}

/** Between which figures the truth lies; nothing where they read the same. */
function Between({ low, high, format }: { low: number; high: number; format: (v: number) => string }) {
  const { t } = useTranslation();
  if (format(low) === format(high)) return null;
  return <small>{t("slo.between", { low: format(low), high: format(high) })}</small>;
}

/** The time over which the objective is promised: it slides, or begins anew by the calendar. */
function Window({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const { calendar } = slo;
  return (
    <div>
      <dt>{t("slo.window")}</dt>
      <dd>
        {calendar ? t("slo.calendarSpan", { from: f.date(calendar.from), to: f.date(calendar.to) }) : f.window(slo.window.duration)}
        <small>{calendar ? t("slo.calendar", { zone: calendar.zone, time: f.duration(Math.max(0, Date.parse(calendar.to) - Date.now())) }) : t("slo.rolling", { time: f.shortTime(slo.bounds.windowFrom) })}</small>
      </dd>
    </div>
  );
}

/** What was counted in the window, and how. */
function Events({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const { method, sliceMinutes, sliceTarget } = slo.budgeting;
  const slice = f.duration((sliceMinutes ?? 1) * 60_000);
  return (
    <div>
      <dt>{method === "Occurrences" ? t("slo.badEvents") : t("slo.badSlices")}</dt>
      <dd>
        {slo.total > 0 ? f.value(slo.total - slo.good) : "–"}
        <small>{t("slo.ofTotal", { total: f.value(slo.total) })}</small>
        <small>{method === "Occurrences" ? t("budgeting.Occurrences") : method === "Timeslices" ? t("budgeting.Timeslices", { slice, target: f.objective(sliceTarget) }) : t("budgeting.RatioTimeslices", { slice })}</small>
      </dd>
    </div>
  );
}
