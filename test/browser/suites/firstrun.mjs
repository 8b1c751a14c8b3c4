// A server that nobody has used: set-up, and pages that say what to do first.
import assert from "node:assert/strict";
import { assertAccessible, newPage, picture, settled, visit } from "../browser.mjs";
import { startEmpty } from "../server.mjs";

export function firstRun(world, test) {
  test("the first administrator is made, and empty pages say what to do next", async () => {
    const server = await startEmpty();
    try {
      const { page, context, complaints } = await newPage(world.browser);
      await page.goto(server.link);
      await assertAccessible(page, "set-up page");
      await picture(page, "setup-en");
      const fill = async (name, value) => {
        for (const box of await page.getByLabel(name).all()) await box.fill(value);
      };
      await fill(/name/i, "Operator");
      await fill(/mail|address|sign-in/i, "operator@example.jp");
      await fill(/password/i, "correct horse battery staple");
      await page.locator("form button").last().click();
      await page.waitForURL(server.base + "/");
      await settled(page);
      for (const path of ["/", "/services", "/slos", "/settings/channels"]) {
        await visit(page, server.base + path);
        await page.getByText(/teiten apply/).first().waitFor();
        await assertAccessible(page, `empty ${path}`);
      }
      await visit(page, server.base + "/");
      await picture(page, "empty-now-en");
      assert.deepEqual(complaints, []);
      await context.close();
    } finally {
      await server.stop();
    }
  });
}
