// Everything can be reached and done without a pointer.
import assert from "node:assert/strict";
import { assertAccessible, newPage, settled, visit } from "../browser.mjs";

export function keyboard(world, test) {
  const open = async (path) => {
    const made = await newPage(world.browser, { state: world.state });
    await visit(made.page, world.base + path);
    return made;
  };

  test("g and a letter walk, and focus begins at the page", async () => {
    const { page, context } = await open("/");
    for (const [key, path] of [["s", "/services"], ["o", "/slos"], ["p", "/probes"], ["c", "/oncall"], ["e", "/explore"], ["a", "/activity"], ["t", "/settings/people"], ["h", "/"]]) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await page.waitForURL(world.base + path);
      await settled(page);
      assert.equal(await page.evaluate(() => document.activeElement?.id), "main", `focus after g ${key}`);
    }
    await context.close();
  });

  test("slash finds a service and Enter goes there", async () => {
    const { page, context } = await open("/");
    await page.keyboard.press("/");
    const box = page.getByRole("combobox");
    await box.waitFor();
    assert.equal(await box.evaluate((el) => el === document.activeElement), true);
    await assertAccessible(page, "jump dialog");
    await page.keyboard.type("checkout");
    await page.getByRole("option", { name: /Checkout/ }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/services/checkout");
    await context.close();
  });

  test("question mark lists the keys and Escape gives focus back", async () => {
    const { page, context } = await open("/slos");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await assertAccessible(page, "help dialog");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await context.close();
  });

  test("keys typed into a field are text", async () => {
    const { page, context } = await open("/slos");
    await page.getByRole("searchbox").fill("");
    await page.getByRole("searchbox").pressSequentially("g s?/");
    assert.equal(new URL(page.url()).pathname, "/slos");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await context.close();
  });

  test("the first stop skips to the page, and every stop can be seen", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
    const seen = new Set();
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const el = document.activeElement;
        if (!el || el === document.body) return null;
        const box = el.getBoundingClientRect();
        const style = getComputedStyle(el);
        return { who: `${el.tagName} ${el.getAttribute("role") ?? ""} ${(el.getAttribute("aria-label") ?? el.textContent ?? "").trim().slice(0, 40)}`, size: box.width * box.height, outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
      });
      if (!stop) break;
      assert.ok(stop.size > 0, `${stop.who} cannot be seen`);
      assert.ok(stop.outline, `${stop.who} shows no focus`);
      seen.add(stop.who);
    }
    for (const part of [/slider/, /Copy/, /group/i]) assert.ok([...seen].some((who) => part.test(who)), `never stopped at ${part}: ${[...seen].join("; ")}`);
    await context.close();
  });

  test("a chart is read with the arrow keys and as a table", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    const chart = page.getByRole("slider").first();
    await chart.focus();
    const last = await chart.getAttribute("aria-valuetext");
    await page.keyboard.press("ArrowLeft");
    const before = await chart.getAttribute("aria-valuetext");
    assert.notEqual(before, last);
    assert.match(before, /Budget left/);
    await page.keyboard.press("Home");
    assert.equal(await chart.getAttribute("aria-valuenow"), "0");
    await page.getByRole("button", { name: "Table Budget burn-down" }).press("Enter");
    const rows = page.getByRole("group", { name: "Budget burn-down as a table" }).getByRole("row");
    assert.ok((await rows.count()) > 50);
    await assertAccessible(page, "chart table");
    await context.close();
  });
}
