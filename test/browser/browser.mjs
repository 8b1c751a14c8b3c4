// What every test does with a browser: open it, look for faults, take pictures.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const output = new URL("./output", import.meta.url).pathname;
mkdirSync(output, { recursive: true });
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

export const desktop = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };

/**
 * A page in the given language and colours that collects what the browser
 * complains of: script errors, refused styles, failed requests.
 */
export async function newPage(browser, { state, lang = "en", scheme = "light", viewport = desktop } = {}) {
  const context = await browser.newContext({ storageState: state, viewport, colorScheme: scheme, locale: lang === "ja" ? "ja-JP" : "en-GB", timezoneId: "Asia/Tokyo", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  return { page, context, complaints };
}

/** Opens a page and waits until nothing on it is still being fetched. */
export async function visit(page, url) {
  await page.goto(url);
  await settled(page);
}

export async function settled(page) {
  await page.waitForSelector("main h1");
  await page.waitForFunction(() => !document.querySelector(".loading"));
}

/** Waits until what fades in has done so: half-way there, contrast is neither one thing nor the other. */
async function still(page) {
  await page.waitForFunction(() =>
    document.getAnimations().every((a) => a.playState !== "running" || a.effect?.getComputedTiming().endTime === Infinity),
  );
}

/** Fails with a readable list when axe finds anything. */
export async function assertAccessible(page, what) {
  await still(page);
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"] }));
  const found = violations.map((v) => `${v.id} (${v.impact}): ${v.help}\n${v.nodes.map((n) => `    ${n.target.join(" ")}\n      ${n.failureSummary.replaceAll("\n", "\n      ")}`).join("\n")}`);
  assert.equal(found.length, 0, `${what}: axe found\n${found.join("\n")}`);
}

/** Fails when the page is wider than its window: only tables may scroll, within themselves. */
export async function assertFits(page, what) {
  const wide = await page.evaluate(() => ({
    over: document.documentElement.scrollWidth - window.innerWidth,
    who: [...document.querySelectorAll("body *")].filter((el) => el.getBoundingClientRect().right > window.innerWidth + 1 && !el.closest(".tablebox, .tableview, pre")).slice(0, 3).map((el) => `${el.tagName}.${el.className}`),
  }));
  assert.ok(wide.over <= 0, `${what} is ${wide.over} px too wide: ${wide.who.join(", ")}`);
}

export function picture(page, name) {
  return page.screenshot({ path: join(output, name + ".png"), fullPage: true });
}
