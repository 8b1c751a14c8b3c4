import { IconFileCode, IconPencil } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { ManagedBy } from "../api/types";

/** Who owns a definition: a file in a repository, or the browser. */
export function Managed({ by }: { by: ManagedBy | undefined }) {
  const { t } = useTranslation();
  if (!by) return null;
  if (by.by !== "code") {
    return (
      <span className="row dim small">
        <IconPencil size={15} aria-hidden /> {t("managed.browser")}
      </span>
    );
  }
  const place = by.file ? by.file + (by.line ? ":" + by.line : "") : by.set;
  return (
    <span className="row small">
      <IconFileCode size={15} aria-hidden />
      <span>
        {t("managed.code")} <code className="anywhere">{place}</code>
        {by.set && by.file && <span className="dim"> {t("managed.set", { set: by.set })}</span>}
      </span>
    </span>
  );
}
