// Every page, in both languages, light and dark, wide and narrow: it opens
// without a complaint, has the right words, fits, and axe finds nothing.
import assert from "node:assert/strict";
import { assertAccessible, assertFits, newPage, phone, picture, settled, visit } from "../browser.mjs";

const all = [
  { name: "now", path: "/", en: /promise|budget/, ja: /SLO|バジェット/ },
  { name: "services", path: "/services", en: "Services", ja: "サービス" },
  { name: "service", path: "/services/checkout", en: /Checkout/, ja: /チェックアウト/ },
  { name: "slos", path: "/slos", en: "SLOs", ja: "SLO" },
  { name: "slos-groups", path: "/slos?group=owner", en: "SLOs", ja: "SLO" },
  { name: "slos-map", path: "/slos?as=map&group=system", en: "SLOs", ja: "SLO" },
  { name: "slo", path: "/slos/checkout-availability", en: /Checkout/, ja: /チェックアウト/ },
  { name: "probes", path: "/probes", en: "Probes", ja: "プローブ" },
  { name: "oncall", path: "/oncall", en: "On call", ja: "当番" },
  { name: "oncall-schedule", path: "/oncall/payments", en: /Payments/, ja: /決済/ },
  { name: "explore", path: "/explore?q=sum+by+%28code%29+%28rate%28http_requests_total%5B5m%5D%29%29&range=6h", en: "Explore", ja: "クエリ" },
  { name: "edit", path: "/edit?service=checkout", en: "New document", ja: "新しい定義" },
  { name: "activity", path: "/activity", en: "Activity", ja: "できごと" },
  { name: "settings-people", path: "/settings/people", en: "Settings", ja: "設定" },
  { name: "settings-sessions", path: "/settings/sessions", en: "Settings", ja: "設定" },
  { name: "settings-tokens", path: "/settings/tokens", en: "Settings", ja: "設定" },
  { name: "settings-channels", path: "/settings/channels", en: "Settings", ja: "設定" },
  { name: "settings-sources", path: "/settings/sources", en: "Settings", ja: "設定" },
  { name: "settings-journal", path: "/settings/journal", en: "Settings", ja: "設定" },
  { name: "settings-system", path: "/settings/system", en: "Settings", ja: "設定" },
];

export function pages(world, test) {
  for (const lang of ["en", "ja"]) {
    for (const { name, path, [lang]: title } of all) {
      test(`${path} in ${lang}`, async () => {
        const { page, context, complaints } = await newPage(world.browser, { state: world.state, lang });
        await visit(page, world.base + path);
        const heading = await page.locator("main h1").innerText();
        if (title instanceof RegExp) assert.match(heading, title);
        else assert.equal(heading, title);
        assert.equal(await page.getAttribute("html", "lang"), lang);
        assert.match(await page.title(), /Teiten$/);
        await assertAccessible(page, `${path} ${lang}`);
        await assertFits(page, `${path} ${lang}`);
        await picture(page, `${name}-${lang}`);
        assert.deepEqual(complaints, []);
        await context.close();
      });
    }
  }

  test("every page in the dark", async () => {
    const { page, context, complaints } = await newPage(world.browser, { state: world.state, lang: "ja", scheme: "dark" });
    for (const { name, path } of all) {
      await visit(page, world.base + path);
      await assertAccessible(page, `${path} dark`);
      await picture(page, `${name}-dark`);
    }
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test("every page at 360 pixels", async () => {
    const { page, context, complaints } = await newPage(world.browser, { state: world.state, lang: "ja", viewport: phone });
    for (const { name, path } of all) {
      await visit(page, world.base + path);
      await assertFits(page, `${path} at 360`);
      await assertAccessible(page, `${path} at 360`);
      await picture(page, `${name}-360`);
    }
    await page.getByRole("navigation", { name: "ページ" }).getByRole("link", { name: "SLO" }).click();
    await page.waitForURL("**/slos");
    await settled(page);
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test("the policy names a fresh nonce and allows nothing inline", async () => {
    const { page, context } = await newPage(world.browser, { state: world.state });
    const response = await page.goto(world.base + "/");
    const policy = response.headers()["content-security-policy"];
    assert.match(policy, /style-src 'self' 'nonce-[\w-]+'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers()["cache-control"], "no-store");
    await context.close();
  });
}
