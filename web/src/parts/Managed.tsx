import { IconFileCode, IconPencil } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

/** Who manages a definition: files that were applied as a set, or the browser. */
export interface Origin {
  by: string;
  set?: string;
  file?: string;
  line?: number;
}

/** Reads an origin written as "code:<set>" or "browser" with its place beside it. */
export function originOf(o: { managedBy?: string; file?: string; line?: number }): Origin | undefined {
  if (!o.managedBy) return undefined;
  const [by, set] = o.managedBy.split(":", 2);
  return { by, set, file: o.file, line: o.line };
}

/** Who owns a definition: a file in a repository, or the browser. */
export function Managed({ origin }: { origin: Origin | undefined }) {
  const { t } = useTranslation();
  if (!origin?.by) return null;
  if (origin.by !== "code") {
    return (
      <span className="row dim small">
        <IconPencil size={15} aria-hidden /> {t("managed.browser")}
      </span>
    );
  }
  const { set, file, line } = origin;
  const place = file ? file + (line ? ":" + line : "") : set;
  return (
    <span className="small anywhere">
      <IconFileCode size={15} aria-hidden style={{ verticalAlign: "-0.2em" }} /> {t("managed.code")} <code>{place}</code>
      {set && file && <span className="dim"> {t("managed.set", { set })}</span>}
    </span>
  );
}
