import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { useSay } from "../../i18n";
import { Code } from "../../parts/Code";
import { Section } from "../../parts/Section";
import { At } from "../../parts/Time";
import { Inspection } from "./Inspection";
import { askedOf, type Asked } from "./asked";

/** The expressions as written, how they are counted, and where to try them. */
export function Queries({ id, slo }: { id: string; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const say = useSay();
  const { queries } = slo;
  return (
    <Section id={id} title={t("slo.queries")} note={t("slo.queriesNote", { source: slo.dataSource || t("slo.defaultSource") })}>
      {queries.join && <p className="small">{t(`join.${queries.join}`)}</p>}
      {askedOf(queries).map((q) => (
        <Query key={q.part + q.role} asked={q} slo={slo} />
      ))}
      <p className="small">
        <span className="tag">{slo.exact ? t("slo.exact") : t("slo.approximate")}</span> <span className="sentence">{say(slo.exactNote)}</span>
      </p>
      {slo.countedFrom !== "values" && slo.dataSource !== "events" && <p className="small">{t("slo.unseen")}</p>}
      <Inspection name={slo.name} />
      <p className="small dim">
        {t("slo.watermark")} <At at={slo.watermark} /> · {t("slo.settle", { time: f.window(slo.settle) })} · {slo.absent === "bad" ? t("slo.absentBad") : t("slo.absentUnknown")}
      </p>
    </Section>
  );
}

function Query({ asked: q, slo }: { asked: Asked; slo: SLODetail }) {
  const { t } = useTranslation();
  const f = useFormat();
  const counted = slo.countedFrom === "samples";
  const name = [q.part, t(`query.${q.role}`)].filter(Boolean).join(": ");
  return (
    <div className="section" style={{ gap: "0.375rem" }}>
      <div className="row">
        <h3>{name}</h3>
        {counted && <span className="tag">{t("slo.fromSamples")}</span>}
        <Link className="small" to="/explore" search={{ q: q.evaluated || q.source, source: slo.dataSource || undefined, range: "6h" }} aria-label={t("explore.openOf", { what: name })}>
          {t("explore.open")}
        </Link>
      </div>
      <Code text={q.source} />
      {q.limit !== undefined && <p className="small">{t(`query.${q.op ?? "lte"}`, { limit: f.value(q.limit) })}</p>}
      {q.evaluated && q.evaluated !== q.source && (
        <details open={!counted}>
          <summary className="small dim">{counted ? t("slo.sameInPromQL") : t("slo.evaluated")}</summary>
          <Code text={q.evaluated} />
        </details>
      )}
    </div>
  );
}
