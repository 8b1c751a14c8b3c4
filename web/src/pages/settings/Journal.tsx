import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { seals } from "../../api/queries";
import type { Verification } from "../../api/types";
import { useFormat } from "../../format";
import { Code } from "../../parts/Code";
import { Empty, Failed, Loaded } from "../../parts/Notice";
import { Section, TableBox } from "../../parts/Section";
import { At } from "../../parts/Time";

export function Journal() {
  const { t } = useTranslation();
  const f = useFormat();
  const query = useQuery(seals());
  const verify = useMutation({ mutationFn: () => api.POST("/api/v1/journal/verify", {}) });
  const result = verify.data?.data;
  return (
    <Section
      title={t("settings.journal")}
      note={t("journal.note")}
      more={
        <button className="smallbtn" disabled={verify.isPending} onClick={() => verify.mutate()}>
          {verify.isPending ? t("journal.verifying") : t("journal.verify")}
        </button>
      }
    >
      {verify.isError && <Failed error={verify.error} />}
      {result && <Verdict result={result} />}
      <Loaded query={query}>
        {(data) =>
          data.items?.length ? (
            <TableBox label={t("settings.journal")}>
              <table className="t">
                <thead>
                  <tr>
                    <th scope="col" className="num">
                      {t("journal.number")}
                    </th>
                    <th scope="col">{t("journal.upto")}</th>
                    <th scope="col" className="num">
                      {t("journal.entries")}
                    </th>
                    <th scope="col">{t("journal.hash")}</th>
                    <th scope="col" className="narrow-hide">
                      {t("journal.previous")}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {data.items.map((s) => (
                    <tr key={s.number}>
                      <td className="num">{f.number(s.number)}</td>
                      <td>
                        <At at={s.upto} />
                      </td>
                      <td className="num">{f.number(s.entries)}</td>
                      <td>
                        <code title={s.hash}>{s.hash.slice(0, 16)}</code>
                      </td>
                      <td className="narrow-hide">
                        <code title={s.previous}>{s.previous.slice(0, 16) || "–"}</code>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableBox>
          ) : (
            <Empty title={t("journal.none")}>{t("journal.noneWhat")}</Empty>
          )
        }
      </Loaded>
    </Section>
  );
}

/** What verification found, with the last hash to be kept elsewhere. */
function Verdict({ result }: { result: Verification }) {
  const { t } = useTranslation();
  const f = useFormat();
  const sound = !result.problem;
  return (
    <div className="banner" data-tone={sound ? "ok" : "bad"} role="status">
      <div className="title">{sound ? t("journal.sound") : t("journal.broken")}</div>
      {result.problem && <div>{result.problem}</div>}
      <div>{t("journal.counted", { seals: f.number(result.seals), entries: f.number(result.entries), unsealed: f.number(result.unsealed) })}</div>
      <Code text={result.last} />
    </div>
  );
}
