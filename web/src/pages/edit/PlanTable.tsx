import { useTranslation } from "react-i18next";
import type { Plan } from "../../api/types";
import { TableBox } from "../../parts/Section";

/** Every document of a plan, with what would differ field by field. */
export function PlanTable({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  return (
    <TableBox label={t("edit.plan")}>
      <table className="t">
        <thead>
          <tr>
            <th scope="col">{t("edit.document")}</th>
            <th scope="col">{t("edit.action")}</th>
            <th scope="col">{t("edit.difference")}</th>
          </tr>
        </thead>
        <tbody>
          {(plan.changes ?? []).map((c) => (
            <tr key={c.ref + c.kind}>
              <td className="anywhere">
                {c.name}
                <div className="sub">{c.kind}</div>
              </td>
              <td className="nowrap">{t(`action.${c.action}`)}</td>
              <td>
                {c.fields?.length ? (
                  <dl className="diff">
                    {c.fields.map((d) => (
                      <Field key={d.path} path={d.path} before={d.before} after={d.after} />
                    ))}
                  </dl>
                ) : (
                  <span className="dim">–</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Field({ path, before, after }: { path: string; before?: string; after?: string }) {
  return (
    <>
      <dt>{path}</dt>
      <dd>
        {before !== undefined && <del>{before}</del>} {before !== undefined && after !== undefined && "→"} {after !== undefined && <ins>{after}</ins>}
      </dd>
    </>
  );
}
