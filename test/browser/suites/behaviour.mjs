// What the pages do: live, by address, across languages, when things go wrong.
import assert from "node:assert/strict";
import { assertAccessible, newPage, picture, settled, visit } from "../browser.mjs";

export function behaviour(world, test) {
  const open = async (path, options = {}) => {
    const made = await newPage(world.browser, { state: world.state, ...options });
    await visit(made.page, world.base + path);
    return made;
  };

  test("the language stays chosen, for the server's own pages too", async () => {
    const { page, context } = await open("/slos");
    await page.getByRole("button", { name: "日本語で表示" }).click();
    await page.getByRole("link", { name: "できごと" }).first().waitFor();
    await page.reload();
    await settled(page);
    assert.equal(await page.getAttribute("html", "lang"), "ja");
    const cookies = await context.cookies();
    assert.equal(cookies.find((c) => c.name === "teiten_lang")?.value, "ja");
    const fresh = await context.request.get(world.base + "/api/v1/slos/no-such-slo");
    assert.equal(fresh.status(), 404);
    assert.match(await fresh.text(), /[ぁ-んァ-ヶ一-龠]/);
    await context.close();
  });

  test("colours follow the system until chosen, without a flash", async () => {
    const { page, context } = await open("/", { scheme: "dark" });
    const scheme = () => page.getAttribute("html", "data-mantine-color-scheme");
    assert.equal(await scheme(), "dark");
    await page.getByRole("button", { name: /^Colours/ }).click();
    assert.equal(await scheme(), "light");
    await page.reload({ waitUntil: "commit" });
    await page.waitForSelector("body");
    assert.equal(await scheme(), "light");
    await context.close();
  });

  test("filters and order of the SLO list stand in the address", async () => {
    const { page, context } = await open("/slos");
    const rows = page.locator("tbody tr[data-index]");
    const all = await rows.count(); // of those in view: a long list renders no others
    await page.getByRole("combobox", { name: "Tier" }).selectOption("1");
    await page.waitForURL("**/slos?tier=1");
    await page.waitForFunction((n) => {
      const shown = document.querySelectorAll("tbody tr[data-index]").length;
      return shown > 0 && shown < n;
    }, all);
    await settled(page);
    const some = await rows.count();
    await page.getByRole("button", { name: "Budget left" }).click();
    await page.waitForURL("**/slos?sort=budget&tier=1");
    await settled(page);
    const left = async () => (await page.locator("tbody .budget .value").allInnerTexts()).map((t) => parseFloat(t));
    await page.waitForFunction(() => document.querySelector('th[aria-sort="ascending"]'));
    await page.reload();
    await settled(page);
    assert.equal(await rows.count(), some);
    const values = await left();
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
    await page.getByRole("searchbox").fill("no such thing");
    await page.getByText("No SLO matches").waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.waitForURL("**/slos?sort=budget");
    await page.waitForFunction((n) => document.querySelectorAll("tbody tr[data-index]").length > n, some);
    await context.close();
  });

  test("the SLO list in groups opens a team and leads to all of it", async () => {
    const { page, context } = await open("/slos");
    const all = await page.locator("tbody tr[data-index]").count();
    await page.getByRole("combobox", { name: "Group by" }).selectOption("owner");
    await page.waitForURL("**/slos?group=owner");
    const group = page.getByRole("button", { name: "payments", expanded: false });
    await group.press("Enter");
    await page.locator("tr[data-within]").first().waitFor();
    const within = await page.locator("tr[data-within]").count();
    assert.ok(within > 0 && within < all);
    await assertAccessible(page, "open group");
    await context.close();
  });

  test("the heat map is read with the keyboard, as a table, and leads to an SLO", async () => {
    const { page, context } = await open("/slos?as=map");
    const map = page.getByRole("slider", { name: /Heat map/ });
    await map.focus();
    await page.keyboard.press("End");
    assert.equal(await map.getAttribute("aria-valuenow"), await map.getAttribute("aria-valuemax"));
    await page.keyboard.press("Home");
    const first = await map.getAttribute("aria-valuetext");
    await page.keyboard.press("ArrowRight");
    assert.notEqual(await map.getAttribute("aria-valuetext"), first);
    assert.match(first, /left/);
    await page.getByRole("button", { name: "Table" }).click();
    assert.ok((await page.getByRole("group", { name: "Budgets left" }).getByRole("row").count()) > 3);
    await assertAccessible(page, "heat map with its table");
    await map.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/slos/*");
    await context.close();
  });

  test("a view of the SLO list is saved, brought back and removed", async () => {
    const { page, context } = await open("/slos?group=tier&tier=1");
    await page.getByRole("button", { name: "Save this view" }).click();
    const dialog = page.getByRole("dialog", { name: "Saved views" });
    await dialog.getByRole("textbox").fill("Tier one");
    await assertAccessible(page, "saving a view");
    await dialog.getByRole("button", { name: "Save this view" }).click();
    await visit(page, world.base + "/slos");
    await page.getByRole("link", { name: "Tier one" }).click();
    await page.waitForURL("**/slos?group=tier&tier=1");
    await page.getByRole("button", { name: "Save or remove" }).click();
    await page.getByRole("button", { name: "Remove Tier one" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Tier one" }).waitFor({ state: "detached" });
    await context.close();
  });

  test("the explorer proposes names, runs, and keeps the question in the address", async () => {
    const { page, context, complaints } = await open("/explore");
    const editor = page.getByRole("textbox", { name: "PromQL expression" });
    await editor.click();
    await page.keyboard.type("http_requests_t");
    await page.getByRole("option", { name: /http_requests_total/ }).waitFor();
    await page.waitForTimeout(150); // the editor takes no choice in the first moment, lest a key meant for the text choose
    await page.keyboard.press("Enter");
    await page.keyboard.type('{service="');
    await page.getByRole("option", { name: /checkout/ }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.type("checkout");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=http_requests_total/);
    await page.getByRole("slider", { name: /http_requests_total/ }).waitFor();
    await page.getByRole("link", { name: "Table" }).click();
    await page.getByRole("cell", { name: /service="checkout"/ }).first().waitFor();
    await assertAccessible(page, "explorer with a table");
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test("a mistake in PromQL is shown where it is, in the reader's language", async () => {
    const { page, context } = await open("/explore?q=sum(up))+foo", { lang: "ja" });
    await page.getByText("受け付けられませんでした").waitFor();
    await page.locator(".cm-lintRange-error").first().waitFor();
    await assertAccessible(page, "explorer with a mistake");
    await context.close();
  });

  test("an SLO's exact query opens in the explorer", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    await page.getByRole("link", { name: "Explore: All events" }).click();
    await page.waitForURL("**/explore?q=*");
    await page.getByRole("slider").first().waitFor();
    await context.close();
  });

  test("a time is excluded once its effect was seen, and taken back with a reason", async () => {
    const { page, context } = await open("/slos/cart-availability");
    const local = (hoursAgo) => new Date(Date.now() + 9 * 3_600_000 - hoursAgo * 3_600_000).toISOString().slice(0, 16); // the tests' zone is Tokyo
    await page.getByText("Exclude a time after the fact", { exact: true }).click();
    await page.getByLabel(/^From/).fill(local(3));
    await page.getByLabel("To", { exact: true }).fill(local(2));
    await page.getByLabel("Reason", { exact: true }).fill("load test of the browser suite");
    await page.getByRole("button", { name: "Show what it changes" }).click();
    await page.getByText("What it changes", { exact: true }).waitFor();
    await assertAccessible(page, "exclusion before it is made");
    await page.getByRole("button", { name: "Exclude this time" }).click();
    const row = page.getByRole("group", { name: "Time that does not count" }).getByRole("row", { name: /load test of the browser suite/ });
    await row.waitFor();
    await row.getByRole("button", { name: "Take back" }).click();
    const dialog = page.getByRole("dialog", { name: /count again/ });
    await dialog.getByRole("textbox").fill("it was no load test");
    await assertAccessible(page, "taking an exclusion back");
    await dialog.getByRole("button", { name: "Take back" }).click();
    await row.getByText("it was no load test").waitFor();
    assert.equal(await row.getByRole("button", { name: "Take back" }).count(), 0);
    await context.close();
  });

  test("another objective is replayed against the history, and one is suggested", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    await page.getByText("Suggest an objective from the history").click();
    await page.getByRole("button", { name: "Try 99.99%" }).click();
    await page.getByText("Tried: 99.99%").waitFor();
    await page.getByRole("slider", { name: /Budget, as tried/ }).waitFor();
    await assertAccessible(page, "replay");
    await page.getByRole("textbox", { name: "Objective, %" }).fill("95");
    await page.getByRole("button", { name: "Replay", exact: true }).click();
    await page.getByText("Tried: 95%").waitFor();
    await context.close();
  });

  test("what happens appears without a reload, and stands still while paused", async () => {
    const { page, context } = await open("/activity");
    await page.getByText("Live", { exact: true }).waitFor();
    const create = async (name) => {
      const made = await context.request.post(world.base + "/api/v1/tokens", { data: { name, scopes: ["slo:read"], days: 1 }, headers: { origin: world.base } });
      assert.equal(made.status(), 201, await made.text());
    };
    const created = page.getByRole("row", { name: /Token created/ });
    const before = await created.count();
    await create("browser-live");
    await page.waitForFunction((n) => [...document.querySelectorAll("tbody tr")].filter((r) => r.textContent.includes("Token created")).length === n + 1, before);
    await page.getByRole("button", { name: "Pause" }).click();
    await create("browser-paused");
    await page.getByRole("button", { name: /Go on \(1 new\)/ }).waitFor();
    assert.equal(await created.count(), before + 1);
    await page.getByRole("button", { name: /Go on/ }).click();
    await page.waitForFunction((n) => [...document.querySelectorAll("tbody tr")].filter((r) => r.textContent.includes("Token created")).length === n + 2, before);
    await context.close();
  });

  test("an entry opens in place and by its address", async () => {
    const { page, context } = await open("/activity?kind=ascode.*");
    await page.getByRole("button", { name: "Files applied" }).first().click();
    await page.getByText("As stored (JSON)").waitFor();
    assert.match(page.url(), /entry=/);
    await assertAccessible(page, "open entry");
    const id = new URL(page.url()).searchParams.get("entry");
    await visit(page, `${world.base}/activity?kind=access.*&entry=${id}`);
    await page.getByRole("heading", { name: "Files applied" }).waitFor();
    await context.close();
  });

  test("without the network the page says since when, and is live again by itself", async () => {
    const { page, context } = await open("/");
    await page.getByText("Live", { exact: true }).waitFor();
    await context.setOffline(true);
    // Chromium keeps open streams alive when it is told to be offline: end this one.
    await page.evaluate(() => window.dispatchEvent(new Event("offline")));
    await page.reload().catch(() => {});
    await context.setOffline(false);
    await visit(page, world.base + "/");
    let refuse = true;
    await page.route("**/api/v1/journal/stream*", (route) => (refuse ? route.abort() : route.continue()));
    await page.reload();
    await page.getByText("Reconnecting").waitFor();
    refuse = false;
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 40_000 });
    await context.close();
  });

  test("a server that does not answer is said to be silent, with a way on", async () => {
    const { page, context } = await open("/");
    await page.route("**/api/v1/slos?*", (route) => route.abort());
    await page.goto(world.base + "/slos");
    await page.getByText("The server does not answer").waitFor({ timeout: 20_000 });
    await assertAccessible(page, "silent server");
    await page.unroute("**/api/v1/slos?*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("tbody tr[data-index]").first().waitFor();
    await context.close();
  });

  test("a session that ends keeps the page and leads to the sign-in", async () => {
    const { page, context } = await open("/slos");
    await context.clearCookies({ name: "teiten_session" });
    await page.getByRole("combobox", { name: "Tier" }).selectOption("2");
    await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
    await assertAccessible(page, "session ended");
    const link = await page.getByRole("link", { name: "Sign in" }).getAttribute("href");
    assert.equal(link, "/signin?next=" + encodeURIComponent("/slos?tier=2"));
    await page.goto(world.base + "/services/checkout");
    await page.waitForURL("**/signin?next=%2Fservices%2Fcheckout");
    await assertAccessible(page, "sign-in page");
    await picture(page, "signin-en");
    await context.close();
  });

  test("a token is shown once and can be revoked", async () => {
    const { page, context } = await open("/settings/tokens");
    const name = `browser-once-${Date.now()}`;
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("checkbox", { name: "slo:read" }).check();
    await page.getByRole("button", { name: "Create a token" }).click();
    await page.getByText(`Token ${name} is made`).waitFor();
    const secret = await page.locator(".banner code").innerText();
    const asked = await fetch(world.base + "/api/v1/slos?limit=1", { headers: { authorization: `Bearer ${secret}` } });
    assert.equal(asked.status, 200);
    await page.reload();
    await settled(page);
    assert.equal((await page.content()).includes(secret), false);
    const row = page.getByRole("row", { name: new RegExp(name) });
    await row.getByRole("button", { name: "Revoke" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await assertAccessible(page, "confirmation");
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
    const refused = await fetch(world.base + "/api/v1/slos?limit=1", { headers: { authorization: `Bearer ${secret}` } });
    assert.equal(refused.status, 401);
    await context.close();
  });

  test("a person is invited by a link", async () => {
    const { page, context } = await open("/settings/people");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Second responder");
    await page.getByRole("textbox", { name: /Sign-in name/ }).fill(`responder-${Date.now()}@shop.example.jp`);
    await page.getByRole("button", { name: "Make the link" }).click();
    await page.getByText("Second responder can come in").waitFor();
    assert.match(await page.locator(".banner code").innerText(), /^http/);
    await page.getByRole("row", { name: /Second responder/ }).first().waitFor();
    await assertAccessible(page, "invitation");
    await context.close();
  });

  test("a channel is tested and the attempt stands in the log", async () => {
    const { page, context } = await open("/settings/channels");
    await page.getByRole("button", { name: "Send a test to operations-room" }).click();
    await page.getByText("Sent: see the log below.").waitFor();
    const row = page.getByRole("row", { name: /operations-room/ }).filter({ hasText: "Delivered" }).first();
    await row.getByText("1 attempt").filter({ visible: true }).click();
    await row.getByText(/accepted/).filter({ visible: true }).waitFor();
    await assertAccessible(page, "delivery log");
    await context.close();
  });

  test("a data source is tested and the journal verified", async () => {
    const { page, context } = await open("/settings/sources");
    await page.getByRole("button", { name: /^Test / }).first().click();
    await page.getByText(/It answered in/).waitFor();
    await visit(page, world.base + "/settings/journal");
    await page.getByRole("button", { name: "Verify all" }).click();
    await page.getByText("The journal is sound").waitFor();
    await context.close();
  });

  test("what does not exist says so and leads on", async () => {
    const { page, context } = await open("/no/such/page");
    assert.equal(await page.locator("h1").innerText(), "There is no such page");
    await assertAccessible(page, "not found");
    await page.goto(world.base + "/slos/no-such-slo");
    await page.getByText("It does not exist (any more)").waitFor();
    await context.close();
  });

  test("a span of the charts stands in the address", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    const spans = page.getByRole("group", { name: "Span of the charts" });
    assert.deepEqual(await spans.locator("[aria-current]").allInnerTexts(), ["30 d"]);
    await spans.getByRole("link", { name: "1 d", exact: true }).click();
    await page.waitForURL("**/slos/checkout-availability?range=1d");
    assert.deepEqual(await spans.locator("[aria-current]").allInnerTexts(), ["1 d"]);
    await settled(page);
    await picture(page, "slo-1d-en");
    await context.close();
  });
}
