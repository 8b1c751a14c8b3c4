import type { Lang } from "../i18n";

/** What stands in a number's place when it is not known. */
export const unknown = "–";

const formats = new Map<string, Intl.NumberFormat>();

function format(lang: Lang, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = lang + JSON.stringify(options);
  let f = formats.get(key);
  if (!f) formats.set(key, (f = new Intl.NumberFormat(lang === "ja" ? "ja-JP" : "en-GB", options)));
  return f;
}

const isNumber = (v: number | null | undefined): v is number => typeof v === "number" && Number.isFinite(v);

export function number(v: number | null | undefined, lang: Lang, digits = 0): string {
  if (!isNumber(v)) return unknown;
  return format(lang, { maximumFractionDigits: digits }).format(v);
}

/** A count in at most four characters or so: 12.3K, 1.2万. */
export function compact(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  return format(lang, { notation: "compact", maximumSignificantDigits: 3 }).format(v);
}

/** A measured value of any size: six digits, great ones in the language's own units, tiny ones by their exponent. */
export function value(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  const size = Math.abs(v);
  if (size >= 1e7) return compact(v, lang);
  if (size > 0 && size < 1e-4) return v.toExponential(2);
  return format(lang, { maximumSignificantDigits: 6 }).format(v);
}

/** A ratio as a percentage, rounded toward zero so that 0.99996 never reads as 100 %. */
export function percent(v: number | null | undefined, lang: Lang, digits = 1): string {
  if (!isNumber(v)) return unknown;
  return format(lang, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits, roundingMode: "trunc" } as Intl.NumberFormatOptions).format(v);
}

/** A share that was rounded before, as a percentage with so many digits. */
export function rounded(v: number, lang: Lang, digits: number): string {
  return format(lang, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(v);
}

/** An objective with the digits that it was written with: 99.9 %, 99.95 %. */
export function objective(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  return format(lang, { style: "percent", maximumFractionDigits: 6 }).format(v);
}

/** Digits that tell an SLI from its objective: two more than the objective's nines. */
export function sliDigits(target: number): number {
  if (!(target > 0 && target < 1)) return 2;
  return Math.min(6, Math.max(2, Math.ceil(-Math.log10(1 - target) - 1e-9) - 2 + 2));
}

/** The share of an error budget that is left; overspent budgets read as negative. */
export function budget(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  const size = Math.abs(v);
  return format(lang, {
    style: "percent",
    minimumFractionDigits: size < 10 ? 1 : 0,
    maximumFractionDigits: size < 10 ? 1 : 0,
    roundingMode: "floor",
  } as Intl.NumberFormatOptions).format(v);
}

/** How many times faster than allowed the budget is spent. */
export function burnRate(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  const digits = v < 10 ? 2 : v < 100 ? 1 : 0;
  return format(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(v) + "×";
}

export function bytes(v: number | null | undefined, lang: Lang): string {
  if (!isNumber(v)) return unknown;
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  let i = 0;
  while (v >= 1000 && i < units.length - 1) {
    v /= 1000;
    i++;
  }
  return format(lang, { style: "unit", unit: units[i], unitDisplay: "short", maximumFractionDigits: v < 10 ? 1 : 0 }).format(v);
}
