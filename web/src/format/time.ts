import type { Lang } from "../i18n";
import { unknown } from "./numbers";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const words: Record<Lang, Record<"d" | "h" | "m" | "s", string>> = {
  en: { d: " d", h: " h", m: " min", s: " s" },
  ja: { d: "日", h: "時間", m: "分", s: "秒" },
};

/** A duration by its two largest units: "2 d 5 h", "2日5時間", "45 s". */
export function duration(ms: number | null | undefined, lang: Lang): string {
  if (typeof ms !== "number" || !Number.isFinite(ms)) return unknown;
  const w = words[lang];
  const sign = ms < 0 ? "−" : "";
  let rest = Math.abs(ms);
  if (rest < second) return rest === 0 ? "0" + w.s : `${sign}${Math.round(rest)} ms`;
  // Round to the smaller of the two units first, so that 59 min 59.9 s is an hour.
  const grain = rest >= day ? hour : rest >= hour ? minute : second;
  rest = Math.round(rest / grain) * grain;
  const parts: string[] = [];
  for (const [size, unit] of [[day, "d"], [hour, "h"], [minute, "m"], [second, "s"]] as const) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(n + w[unit]);
    if (parts.length === 2 || (parts.length === 1 && n === 0)) break;
  }
  return sign + parts.join(lang === "ja" ? "" : " ");
}

const shortUnits: Record<string, number> = { ms: 1, s: second, m: minute, h: hour, d: day, w: 7 * day };

/** Reads "30d", "1h30m", "5m0s"; NaN when it is none of these. */
export function parseDuration(text: string): number {
  let total = 0;
  let rest = text.trim();
  if (!rest) return NaN;
  while (rest) {
    const m = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/.exec(rest);
    if (!m) return NaN;
    total += Number(m[1]) * shortUnits[m[2]];
    rest = rest.slice(m[0].length);
  }
  return total;
}

/** A window name such as "30d" in the reader's words: "30 d", "30日". */
export function windowName(text: string | undefined, lang: Lang): string {
  if (!text) return unknown;
  const ms = parseDuration(text);
  if (Number.isNaN(ms)) return text;
  if (ms >= day && ms % day === 0) return ms / day + words[lang].d;
  return duration(ms, lang);
}

/** How long ago or ahead a moment is: "5 min ago", "3日後". */
export function relative(at: string | number | Date | undefined | null, now: number, lang: Lang): string {
  if (at === undefined || at === null || at === "") return unknown;
  const diff = new Date(at).getTime() - now;
  if (Number.isNaN(diff)) return unknown;
  if (Math.abs(diff) < 5 * second) return lang === "ja" ? "たった今" : "just now";
  const size = Math.abs(diff);
  const [n, unit] = size < minute ? [diff / second, "second"] : size < hour ? [diff / minute, "minute"] : size < 2 * day ? [diff / hour, "hour"] : [diff / day, "day"];
  const words = new Intl.RelativeTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { numeric: "always", style: lang === "ja" ? "long" : "short" }).format(Math.trunc(n as number), unit as Intl.RelativeTimeFormatUnit);
  return lang === "ja" ? words.replaceAll(" ", "") : words;
}

const moments = new Map<string, Intl.DateTimeFormat>();

function momentFormat(lang: Lang, options: Intl.DateTimeFormatOptions, zone?: string): Intl.DateTimeFormat {
  const key = lang + zone + JSON.stringify(options);
  let f = moments.get(key);
  if (!f) moments.set(key, (f = new Intl.DateTimeFormat(lang === "ja" ? "ja-JP" : "en-GB", { ...options, timeZone: zone })));
  return f;
}

/** A moment to the second in the reader's zone. */
export function dateTime(at: string | number | Date | undefined | null, lang: Lang, zone?: string): string {
  const d = at === undefined || at === null || at === "" ? new Date(NaN) : new Date(at);
  if (Number.isNaN(d.getTime())) return unknown;
  return momentFormat(lang, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }, zone).format(d);
}

/** A moment to the minute, without the year. */
export function shortTime(at: string | number | Date | undefined | null, lang: Lang, zone?: string): string {
  const d = at === undefined || at === null || at === "" ? new Date(NaN) : new Date(at);
  if (Number.isNaN(d.getTime())) return unknown;
  return momentFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(d);
}

export function clock(at: string | number | Date, lang: Lang, zone?: string): string {
  return momentFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone).format(new Date(at));
}

export function date(at: string | number | Date, lang: Lang, zone?: string): string {
  return momentFormat(lang, { month: "short", day: "numeric" }, zone).format(new Date(at));
}

/** The reader's time zone and its offset: "Asia/Tokyo (UTC+9)". */
export function zoneName(zone: string = Intl.DateTimeFormat().resolvedOptions().timeZone, at = new Date()): string {
  const part = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "shortOffset" }).formatToParts(at).find((p) => p.type === "timeZoneName");
  const offset = (part?.value ?? "").replace("GMT", "UTC");
  return zone === "UTC" || offset === zone ? zone : `${zone} (${offset})`;
}
