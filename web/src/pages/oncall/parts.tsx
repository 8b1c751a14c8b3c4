import { IconUserExclamation } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Duty } from "../../api/types";
import { useLang } from "../../i18n";

/** Who has a duty, or that nobody has. */
export function People({ people }: { people: Duty["people"] }) {
  const { t } = useTranslation();
  if (!people?.length) {
    return (
      <span className="status" data-tone="bad">
        <IconUserExclamation size={16} stroke={1.9} aria-hidden />
        {t("oncall.nobody")}
      </span>
    );
  }
  return (
    <>
      {people.map((p, i) => (
        <span key={p.id}>
          {i > 0 && ", "}
          <span title={p.id}>{p.name}</span>
          {p.left && <span className="tag"> {t("oncall.left")}</span>}
        </span>
      ))}
    </>
  );
}

/** A moment by the schedule's wall clock, to the minute. */
export function Wall({ at, zone }: { at: string; zone: string }) {
  const lang = useLang();
  const said = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { timeZone: zone, month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
  return (
    <time dateTime={at} className="nowrap tab" title={at}>
      {said}
    </time>
  );
}

/** A span by the schedule's wall clock. */
export function Span({ from, to, zone }: { from: string; to: string; zone: string }) {
  return (
    <>
      <Wall at={from} zone={zone} /> – <Wall at={to} zone={zone} />
    </>
  );
}
