import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { sloInspection } from "../../api/queries";
import { useSay } from "../../i18n";
import { Loaded } from "../../parts/Notice";

/** Asks the sources, when somebody wants to know, whether the expressions count what is meant. */
export function Inspection({ name }: { name: string }) {
  const { t } = useTranslation();
  const say = useSay();
  const [asked, setAsked] = useState(false);
  const query = useQuery({ ...sloInspection(name), enabled: asked });
  return (
    <details className="fold boxed" onToggle={(e) => setAsked(e.currentTarget.open)}>
      <summary className="small">{t("inspection.ask")}</summary>
      {asked && (
        <Loaded query={query} lines={2}>
          {(found) =>
            found.items?.length ? (
              <ul className="plainlist">
                {found.items.map((x, i) => (
                  <li key={i}>
                    <span className="sentence strong">{say(x.what)}</span> <code className="small">{x.field}</code>
                    <div className="small dim sentence">{say(x.remedy)}</div>
                  </li>
                ))}
              </ul>
            ) : (
              <p className="small">{t("inspection.none")}</p>
            )
          }
        </Loaded>
      )}
    </details>
  );
}
