import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { preferredLang } from ".";
import { statuses } from "../app/urlState";
import { parts, texts } from "./texts";

const src = join(import.meta.dirname, "..");
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$|\.d\.ts$/.test(name) && !name.startsWith(join("i18n", "texts")))
  .map((name) => ({ name, text: readFileSync(join(src, name), "utf8") }));

const plural = /_(one|other)$/;
const keys = Object.keys(texts);
const bases = new Set(keys.map((k) => k.replace(plural, "")));
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort();

/** Keys as the code writes them: whole ones, and the beginnings of those it completes. */
function asked() {
  const whole = new Set<string>();
  const begun = new Set<string>();
  for (const { text } of sources) {
    for (const m of text.matchAll(/\bt\(\s*"([^"]+)"/g)) whole.add(m[1]);
    for (const m of text.matchAll(/\bt\(\s*\w[^"`()]*\?\s*"([^"]+)"\s*:\s*"([^"]+)"/g)) whole.add(m[1]).add(m[2]);
    for (const m of text.matchAll(/`([a-zA-Z.]+\.)\$\{/g)) begun.add(m[1]);
    for (const m of text.matchAll(/(?:title|label): "([a-z]+\.[\w.]+)"/g)) whole.add(m[1]);
    for (const m of text.matchAll(/\["(nav\.\w+)",/g)) whole.add(m[1]);
  }
  return { whole, begun };
}

describe("texts", () => {
  test("no key stands in two parts", () => {
    const all = Object.values(parts).flatMap((part) => Object.keys(part));
    expect(all.length).toBe(new Set(all).size);
    expect(all.length).toBe(keys.length);
  });

  test("every text stands in both languages", () => {
    for (const [key, [en, ja]] of Object.entries(texts)) {
      expect(en.trim(), key).not.toBe("");
      expect(ja.trim(), key).not.toBe("");
    }
  });

  test("both languages fill in the same words", () => {
    for (const [key, [en, ja]] of Object.entries(texts)) {
      // A fixed number may stand in for {{count}} in one form of a plural.
      const without = (list: string[]) => list.filter((p) => !(plural.test(key) && (p === "count" || p === "total")));
      expect(without(placeholders(ja)), key).toEqual(without(placeholders(en)));
    }
  });

  test("English texts hold no Japanese", () => {
    for (const [key, [en]] of Object.entries(texts)) expect(en, key).not.toMatch(/[\u3040-\u30ff\u4e00-\u9fff]/);
  });

  test("Japanese runs on into Latin letters without a space: the browser sets them apart", () => {
    for (const [key, [, ja]] of Object.entries(texts)) expect(ja, key).not.toMatch(/[ぁ-んァ-ヶ一-龠ー、。」)] [A-Za-z0-9{]|[A-Za-z0-9}] [ぁ-んァ-ヶ一-龠「(]/);
  });

  test("plural forms come in pairs", () => {
    for (const key of keys.filter((k) => plural.test(k))) {
      const base = key.replace(plural, "");
      expect(keys).toContain(base + "_one");
      expect(keys).toContain(base + "_other");
    }
  });

  test("every text that the code asks for exists", () => {
    const missing = [...asked().whole].filter((k) => !bases.has(k));
    expect(missing).toEqual([]);
  });

  test("every text is asked for", () => {
    const { whole, begun } = asked();
    const unused = [...bases].filter((k) => !whole.has(k) && ![...begun].some((b) => k.startsWith(b)));
    expect(unused).toEqual([]);
  });

  test("every state has its words", () => {
    for (const s of statuses) for (const family of ["status", "state", "todo"]) expect(keys).toContain(`${family}.${s}`);
  });

  test("no words for readers are written into the pages", () => {
    const found = sources.filter((s) => s.name.endsWith(".tsx")).flatMap(({ name, text }) => [...text.matchAll(/(?:aria-label|title|placeholder)="([^"]*[A-Za-z]{3}[^"]*)"/g)].map((m) => `${name}: ${m[0]}`));
    expect(found).toEqual([]);
  });
});

describe("language", () => {
  test.each([
    ["teiten_lang=ja", ["en-US"], "ja"],
    ["a=b; teiten_lang=en; c=d", ["ja"], "en"],
    ["xteiten_lang=ja", ["en"], "en"],
    ["teiten_lang=fr", ["ja-JP", "en"], "ja"],
    ["", ["fr", "ja"], "ja"],
    ["", ["de"], "en"],
    ["", [], "en"],
  ] as const)("cookie %j and browser %j give %s", (cookie, browser, lang) => expect(preferredLang(cookie, browser)).toBe(lang));
});
