import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { sloDebits } from "../../api/queries";
import type { Debit, Debits as Spent, SLODetail } from "../../api/types";
import { useFormat } from "../../format";
import { Empty, Loaded } from "../../parts/Notice";
import { apportion } from "./apportion";
import { RefLink } from "../../parts/Ref";
import { Section, TableBox } from "../../parts/Section";

/** What the budget was spent on: every bad event of the window belongs to exactly one cause. */
export function Debits({ id, slo, at }: { id: string; slo: SLODetail; at?: string }) {
  const { t } = useTranslation();
  const query = useQuery(sloDebits(slo.name, { asOf: at }));
  return (
    <Section id={id} title={t("debit.title")} note={t("debit.note")}>
      <Loaded query={query} lines={4}>
        {(spent) => (spent.bad > 0 ? <DebitTable spent={spent} /> : <Empty title={t("debit.none")}>{t("debit.noneWhat")}</Empty>)}
      </Loaded>
    </Section>
  );
}

function DebitTable({ spent }: { spent: Spent }) {
  const { t } = useTranslation();
  const f = useFormat();
  const parts = spent.parts ?? [];
  const consumed = apportion(parts.map((p) => p.consumed), 4);
  const share = apportion(parts.map((p) => p.share), 3);
  const sum = (of: number[]) => of.reduce((a, b) => a + b, 0);
  return (
    <>
      <TableBox label={t("debit.title")}>
        <table className="t">
          <thead>
            <tr>
              <th scope="col">{t("debit.cause")}</th>
              <th scope="col" className="num">
                {t("debit.consumed")}
              </th>
              <th scope="col" className="num narrow-hide">
                {t("debit.share")}
              </th>
              <th scope="col" className="num">
                {spent.counts === "slices" ? t("slo.badSlices") : t("query.bad")}
              </th>
              <th scope="col" className="narrow-hide">
                {t("debit.largest")}
              </th>
            </tr>
          </thead>
          <tbody>
            {parts.map((p, i) => (
              <tr key={p.kind + p.ref}>
                <td>
                  <Cause debit={p} />
                </td>
                <td className="num">{f.rounded(consumed[i], 2)}</td>
                <td className="num narrow-hide">{f.rounded(share[i], 1)}</td>
                <td className="num">{f.value(p.bad)}</td>
                <td className="narrow-hide small">
                  {t("debit.episode", { from: f.shortTime(p.largest.from), time: f.duration(Date.parse(p.largest.to) - Date.parse(p.largest.from)), bad: f.value(p.largest.bad) })}
                  <div className="sub">{t("debit.episodes", { count: p.episodes, number: f.number(p.episodes) })}</div>
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr className="strong">
              <td>{t("debit.sum")}</td>
              <td className="num">{f.rounded(sum(consumed), 2)}</td>
              <td className="num narrow-hide">{f.rounded(sum(share), 1)}</td>
              <td className="num">{f.value(spent.bad)}</td>
              <td className="narrow-hide small dim">{t("debit.allowed", { allowed: f.value(spent.allowed), total: f.value(spent.total) })}</td>
            </tr>
          </tfoot>
        </table>
      </TableBox>
      <p className="small dim">{t("debit.how")}</p>
    </>
  );
}

function Cause({ debit }: { debit: Debit }) {
  const { t } = useTranslation();
  return (
    <>
      {debit.ref ? <RefLink refText={debit.ref} bare /> : t(`debitKind.${debit.kind}`)}
      <div className="sub">
        {debit.ref && t(`debitKind.${debit.kind}`)}{" "}
        {debit.entry && (
          <Link to="/activity" search={{ entry: debit.entry }}>
            {t("debit.entry")}
          </Link>
        )}
      </div>
    </>
  );
}
