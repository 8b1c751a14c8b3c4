import { useTranslation } from "react-i18next";
import type { SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";

/** What of the window is known: back-fill in progress and gaps. */
export function Watched({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const gaps = slo.gaps ?? [];
  const fill = slo.backfill;
  const running = fill.state === "running";
  return (
    <Section id={id} title={t("slo.data")} note={t("slo.dataNote", { share: f.percent(slo.known) })}>
      {running && (
        <div className="banner">
          <label className="title" id="backfill">
            {t("slo.backfilling", { done: f.number(fill.done), total: f.number(fill.total), share: f.percent(fill.done / Math.max(1, fill.total), 0) })}
          </label>
          <progress aria-labelledby="backfill" value={fill.done} max={Math.max(1, fill.total)} style={{ width: "100%", accentColor: "var(--accent)" }} />
          <div className="small dim">{t("slo.backfillingWhat")}</div>
        </div>
      )}
      {gaps.length === 0 ? (
        <p className="small">{t("slo.noGaps")}</p>
      ) : (
        <>
          <p className="small">{slo.absent === "bad" ? t("slo.gapsBad") : t("slo.gapsWhat")}</p>
          <TableBox label={t("slo.gaps")}>
            <table className="t">
              <thead>
                <tr>
                  <th scope="col">{t("gap.from")}</th>
                  <th scope="col">{t("gap.to")}</th>
                  <th scope="col" className="num">
                    {t("gap.length")}
                  </th>
                </tr>
              </thead>
              <tbody>
                {gaps.map((g) => (
                  <tr key={g.from}>
                    <td>
                      <At at={g.from} />
                    </td>
                    <td>
                      <At at={g.to} />
                    </td>
                    <td className="num">{f.duration(g.minutes * 60_000)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
        </>
      )}
    </Section>
  );
}
