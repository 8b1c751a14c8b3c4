import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";
import { texts } from "./texts";

export type Lang = "en" | "ja";
/** A text that the server says in both languages. */
export interface Both {
  en: string;
  ja: string;
}

const cookieName = "teiten_lang";

/** The language a reader chose, or else the browser's, or else English. */
export function preferredLang(cookie: string, browser: readonly string[]): Lang {
  const chosen = new RegExp(`(?:^|;\\s*)${cookieName}=(en|ja)(?:;|$)`).exec(cookie);
  if (chosen) return chosen[1] as Lang;
  for (const tag of browser) {
    if (/^ja\b/i.test(tag)) return "ja";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

function resources(column: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, pair]) => [key, pair[column]]));
}

export function startI18n(lang: Lang): void {
  void i18next.use(initReactI18next).init({
    lng: lang,
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    resources: { en: { translation: resources(0) }, ja: { translation: resources(1) } },
    interpolation: { escapeValue: false },
    returnNull: false,
    initAsync: false,
  });
  document.documentElement.lang = lang;
}

/** Switches the language here and, by the cookie, for the server's own pages and errors. */
export function chooseLang(lang: Lang): void {
  document.cookie = `${cookieName}=${lang}; Path=/; Max-Age=31536000; SameSite=Lax`;
  document.documentElement.lang = lang;
  void i18next.changeLanguage(lang);
}

export function useLang(): Lang {
  const { i18n } = useTranslation();
  return i18n.language === "ja" ? "ja" : "en";
}

/** Picks the reader's language out of what the server said in both. */
export function useSay(): (text: Both | undefined | null, otherwise?: string) => string {
  const lang = useLang();
  return (text, otherwise = "") => text?.[lang] || text?.en || otherwise;
}
