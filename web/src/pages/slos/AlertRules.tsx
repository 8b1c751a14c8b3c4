import { IconBellRinging } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Alert, SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Empty } from "../../parts/Notice";
import { TableBox } from "../../parts/Section";
import { Severity } from "../../parts/Status";
import { At } from "../../parts/Time";

/** Each rule with its thresholds, where both windows stand, and why it fires or not. */
export function AlertRules({ slo }: { slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const rules = slo.alertRules ?? [];
  if (rules.length === 0) return <Empty title={t("slo.noRules")}>{t("slo.noRulesWhat")}</Empty>;
  return (
    <>
      <TableBox label={t("slo.rules")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("alert.severity")}</th>
              <th scope="col">{t("rule.state")}</th>
              <th scope="col" className="num">
                {t("rule.long")}
              </th>
              <th scope="col" className="num">
                {t("rule.short")}
              </th>
              <th scope="col" className="num narrow-hide">
                {t("rule.factor")}
              </th>
              <th scope="col" className="num narrow-hide">
                {t("rule.share")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map((r) => (
              <tr key={r.name + r.long} data-tone={r.firing ? (r.severity === "page" ? "bad" : "warn") : undefined}>
                <td>
                  <Severity severity={r.severity} />
                </td>
                <td>
                  {r.firing ? (
                    <span className="status" data-tone={r.severity === "page" ? "bad" : "warn"}>
                      <IconBellRinging size={16} aria-hidden />
                      {t("rule.firing")}
                    </span>
                  ) : (
                    <span className="dim">{r.guarded ? t("rule.guarded") : t("rule.quiet")}</span>
                  )}
                  <div className="sub sentence">{say(r.reason)}</div>
                  {r.minimumEvents > 0 && <div className="sub">{t("rule.minimum", { seen: f.number(Math.round(r.longEvents)), least: f.number(Math.ceil(r.minimumEvents)) })}</div>}
                </td>
                <td className="num">
                  {r.factor > 0 ? <span className={r.longBurn > r.factor ? "strong" : undefined}>{f.burnRate(r.longBurn)}</span> : "–"}
                  {r.long && <div className="sub">{f.window(r.long)}</div>}
                </td>
                <td className="num">
                  {r.short ? (
                    <>
                      <span className={r.shortBurn > r.factor ? "strong" : undefined}>{f.burnRate(r.shortBurn)}</span>
                      <div className="sub">{f.window(r.short)}</div>
                    </>
                  ) : (
                    "–"
                  )}
                </td>
                <td className="num narrow-hide">{r.factor > 0 ? f.burnRate(r.factor) : "–"}</td>
                <td className="num narrow-hide">{r.share > 0 ? f.percent(r.share, 0) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

/** Past and present alerts, newest first. */
export function AlertHistory({ alerts }: { alerts: Alert[] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  if (alerts.length === 0) return <Empty title={t("slo.noAlerts")}>{t("slo.noAlertsWhat")}</Empty>;
  return (
    <TableBox label={t("slo.history")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("alert.severity")}</th>
            <th scope="col">{t("alert.began")}</th>
            <th scope="col">{t("alert.ended")}</th>
            <th scope="col" className="num">
              {t("alert.lasted")}
            </th>
            <th scope="col" className="narrow-hide">
              {t("alert.reason")}
            </th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((a) => (
            <tr key={a.id}>
              <td>
                <Severity severity={a.severity} />
              </td>
              <td>
                <At at={a.since} short />
              </td>
              <td>{a.resolvedAt ? <At at={a.resolvedAt} short /> : <span className="strong nowrap">{t("rule.firing")}</span>}</td>
              <td className="num">{f.duration((a.resolvedAt ? Date.parse(a.resolvedAt) : Date.now()) - Date.parse(a.since))}</td>
              <td className="narrow-hide">
                <div className="sentence">{say(a.reason)}</div>
                {a.explanation && <div className="sub sentence">{say(a.explanation)}</div>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
