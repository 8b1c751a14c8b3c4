import { useTranslation } from "react-i18next";
import type { ProbeStep } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { TableBox } from "../../parts/Section";
import { Outcome } from "./parts";
import { endOf, phases, pieces } from "./waterfall";

/** The steps of a check over time, each by what it spent its time on; the numbers stand beside the bars. */
export function Waterfall({ label, steps }: { label: string; steps: readonly ProbeStep[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const whole = endOf(steps);
  const used = phases.filter((phase) => steps.some((s) => s[`${phase}Ms`] > 0));
  return (
    <TableBox label={label}>
      <table className="t waterfall">
        <thead>
          <tr>
            <th scope="col">{t("probe.step")}</th>
            <th scope="col" className="bars narrow-hide">
              <span className="visually-hidden">{t("probe.bars")}</span>
              <span className="legend" aria-hidden>
                {used.map((phase) => (
                  <span key={phase}>
                    <i data-phase={phase} /> {t(`phase.${phase}`)}
                  </span>
                ))}
              </span>
            </th>
            {used.map((phase) => (
              <th key={phase} scope="col" className="num">
                {t(`phase.${phase}`)}
              </th>
            ))}
            <th scope="col" className="num">
              {t("probe.total")}
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map((s, i) => (
            <tr key={i} data-tone={s.outcome === "failure" ? "bad" : undefined}>
              <td>
                <Outcome outcome={s.outcome} /> <span className="anywhere">{s.name}</span>
                <div className="sub">{[s.status && `HTTP ${s.status}`, s.protocol, s.address, s.bytes !== undefined && f.bytes(s.bytes), s.redirects ? t("probe.redirects", { count: s.redirects }) : "", s.certificateDays !== undefined && t("probe.certificate", { days: f.number(s.certificateDays) })].filter(Boolean).join(" · ")}</div>
                {s.reason && <div className="sub sentence">{say(s.reason)}</div>}
              </td>
              <td className="bars narrow-hide" aria-hidden>
                <div className="bar">
                  {pieces(s, whole).map((p) => (
                    <i key={p.phase} data-phase={p.phase} style={{ left: `${p.from * 100}%`, width: `${p.length * 100}%` }} />
                  ))}
                </div>
              </td>
              {used.map((phase) => (
                <td key={phase} className="num">
                  {f.duration(s[`${phase}Ms`])}
                </td>
              ))}
              <td className="num strong">{f.duration(s.totalMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
