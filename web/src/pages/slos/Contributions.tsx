import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { sloContributions } from "../../api/queries";
import type { Contributions as Found, SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { parseDuration } from "../../format/time";
import { useSay } from "../../i18n";
import { Empty, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";

const spans = ["1h", "6h", "1d", "7d"] as const;
type Span = (typeof spans)[number];

/** Which values of which label the bad events have, compared with all events and with the day before. */
export function Contributions({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const [span, setSpan] = useState<Span>("1h");
  // A minute's grain: what is shown is asked again with the next minute that was counted.
  const to = slo.watermark;
  const from = useMemo(() => to && new Date(Date.parse(to) - parseDuration(span)).toISOString(), [to, span]);
  const query = useQuery(sloContributions(slo.name, { from, to }));
  return (
    <Section
      id={id}
      title={t("contribution.title")}
      note={t("contribution.note")}
      more={
        <span className="chips" role="group" aria-label={t("contribution.span")}>
          {spans.map((s) => (
            <button key={s} aria-pressed={s === span} onClick={() => setSpan(s)}>
              {f.window(s)}
            </button>
          ))}
        </span>
      }
    >
      <Loaded query={query} lines={4}>
        {(found) => <Answer found={found} />}
      </Loaded>
    </Section>
  );
}

function Answer({ found }: { found: Found }) {
  const { t } = useTranslation();
  const say = useSay();
  const f = useFormat();
  if (found.reason) return <Empty title={t("contribution.cannot")}>{say(found.reason)}</Empty>;
  if (found.bad <= 0) return <Empty title={t("contribution.none")}>{t("contribution.noneWhat", { from: f.shortTime(found.from), to: f.shortTime(found.to), total: f.value(found.total) })}</Empty>;
  const counted = { bad: f.value(found.bad), total: f.value(found.total), from: f.shortTime(found.from), to: f.shortTime(found.to) };
  return (
    <>
      {say(found.explanation) && <p className="sentence strong">{say(found.explanation)}</p>}
      <p className="small dim">{found.counts === "minutes" ? t("contribution.ofMinutes", counted) : t("contribution.of", counted)}</p>
      <div className="cols">
        {(found.labels ?? []).map((l) => (
          <Values key={l.label} label={l} standsOut={found.standsOut ?? []} />
        ))}
      </div>
      {found.labels?.length ? <p className="small dim">{t("contribution.overlap")}</p> : <p className="small">{t("contribution.oneSeries")}</p>}
    </>
  );
}

function Values({ label, standsOut }: { label: Found["labels"][number]; standsOut: Found["standsOut"] }) {
  const { t } = useTranslation();
  const f = useFormat();
  const loud = (value: string) => standsOut.some((s) => s.label === label.label && s.value === value);
  return (
    <TableBox label={t("contribution.by", { label: label.label })}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">
              <code>{label.label}</code>
            </th>
            <th scope="col" className="num">
              {t("contribution.bad")}
            </th>
            <th scope="col" className="num">
              {t("contribution.share")}
            </th>
            <th scope="col" className="num narrow-hide">
              {t("contribution.events")}
            </th>
            <th scope="col" className="num">
              {t("contribution.before")}
            </th>
          </tr>
        </thead>
        <tbody>
          {(label.values ?? []).map((v) => (
            <tr key={v.value} className={loud(v.value) ? "strong" : undefined} data-tone={loud(v.value) ? "warn" : undefined}>
              <td className="anywhere">{v.value || t("group.without")}</td>
              <td className="num">{f.value(v.bad)}</td>
              <td className="num">{f.percent(v.share)}</td>
              <td className="num narrow-hide">{f.percent(v.events)}</td>
              <td className="num">{f.percent(v.before)}</td>
            </tr>
          ))}
          {label.more > 0 && (
            <tr>
              <td colSpan={5} className="dim">
                {t("contribution.more", { count: label.more, number: f.number(label.more) })}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </TableBox>
  );
}
