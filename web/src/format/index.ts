import { useMemo } from "react";
import { useLang } from "../i18n";
import * as numbers from "./numbers";
import * as time from "./time";

/** Every formatter in the reader's language. */
export function useFormat() {
  const lang = useLang();
  return useMemo(
    () => ({
      lang,
      number: (v: number | null | undefined, digits?: number) => numbers.number(v, lang, digits),
      value: (v: number | null | undefined) => numbers.value(v, lang),
      percent: (v: number | null | undefined, digits?: number) => numbers.percent(v, lang, digits),
      rounded: (v: number, digits: number) => numbers.rounded(v, lang, digits),
      objective: (v: number | null | undefined) => numbers.objective(v, lang),
      sli: (v: number | null | undefined, target: number) => numbers.percent(v, lang, numbers.sliDigits(target)),
      budget: (v: number | null | undefined) => numbers.budget(v, lang),
      burnRate: (v: number | null | undefined) => numbers.burnRate(v, lang),
      bytes: (v: number | null | undefined) => numbers.bytes(v, lang),
      duration: (ms: number | null | undefined) => time.duration(ms, lang),
      window: (text: string | undefined) => time.windowName(text, lang),
      dateTime: (at: string | number | Date | null | undefined) => time.dateTime(at, lang),
      shortTime: (at: string | number | Date | null | undefined) => time.shortTime(at, lang),
      clock: (at: string | number | Date) => time.clock(at, lang),
      date: (at: string | number | Date) => time.date(at, lang),
      relative: (at: string | number | Date | null | undefined, now: number) => time.relative(at, now, lang),
    }),
    [lang],
  );
}

export type Format = ReturnType<typeof useFormat>;
