// The page of one SLO: what it says of its budget, its past and its agreements,
// and documents that are written in the browser.
import assert from "node:assert/strict";
import { assertAccessible, assertFits, newPage, phone, picture, settled, visit } from "../browser.mjs";

export function promise(world, test) {
  const open = async (path, options = {}) => {
    const made = await newPage(world.browser, { state: world.state, ...options });
    await visit(made.page, world.base + path);
    return made;
  };
  const part = (page, heading) => page.locator("section", { has: page.getByRole("heading", { name: heading, exact: true }) });
  /** "35.51%" and "1,548" as numbers. */
  const numberOf = (text) => Number(text.replace(/[,%]/g, ""));

  test("what the budget was spent on adds up to the whole, as shown and as counted", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    const table = page.getByRole("group", { name: "What the budget was spent on" });
    await table.getByRole("row", { name: /Sum/ }).waitFor();
    for (const column of [2, 3, 4]) {
      const parts = await table.locator(`tbody td:nth-child(${column})`).allInnerTexts();
      const sum = numberOf(await table.locator(`tfoot td:nth-child(${column})`).innerText());
      assert.ok(Math.abs(parts.map(numberOf).reduce((a, b) => a + b, 0) - sum) < 1e-6, `column ${column}: ${parts.join(" + ")} is not ${sum}`);
    }
    await context.close();
  });

  test("the figures of the page are those that the data source has", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    const slo = await (await context.request.get(world.base + "/api/v1/slos/checkout-availability")).json();
    const asked = async (selector) => {
      const query = `sum(increase(http_requests_total{service="checkout"${selector}}[30d] anchored))`;
      const answer = await (await context.request.get(`${world.base}/api/v1/query?${new URLSearchParams({ query, time: slo.watermark })}`)).json();
      return answer.series[0].values.at(-1);
    };
    const [total, bad] = [await asked(""), await asked(',code=~"5.."')];
    assert.equal(slo.total, Math.round(total));
    assert.equal(slo.total - slo.good, Math.round(bad));
    assert.ok(Math.abs(slo.budgetLeft - (1 - bad / total / 0.001)) < 1e-9);
    await context.close();
  });

  test("where raw samples are counted the page says so, and what nobody can know", async () => {
    const { page, context } = await open("/slos/checkout-availability");
    const queries = part(page, "Exact queries");
    assert.equal(await queries.getByText("counted from raw samples", { exact: true }).count(), 2);
    await queries.getByText("Nobody can know it").waitFor();
    assert.equal(await queries.locator("details[open]").count(), 0);
    await queries.getByText("Is this counted right?").click();
    await queries.getByText("Nothing looks wrong").waitFor();
    await context.close();
  });

  test("the page as of an earlier time says what was known then, and leads back", async () => {
    const { page, context } = await open("/slos/payment-availability");
    await page.getByText("What did we know at an earlier time?").click();
    const then = new Date(Date.now() + 9 * 3_600_000 - 5 * 86_400_000).toISOString().slice(0, 16); // the tests' zone is Tokyo
    await page.getByLabel(/^Known as of/).fill(then);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.waitForURL("**asOf=*");
    await page.getByText("This is what was known at").waitFor();
    await settled(page);
    // The example's past was counted when it began: nothing was known of it before.
    await page.getByText("Nothing was known then").waitFor();
    assert.equal(await page.getByRole("heading", { name: "Replay" }).count(), 0);
    assert.doesNotMatch(await page.locator("main").innerText(), /NaN|Infinity|undefined/);
    await assertAccessible(page, "page as of then");
    await picture(page, "slo-then-en");
    await page.getByRole("button", { name: "Back to now" }).click();
    await page.getByRole("heading", { name: "Replay" }).waitFor();
    await context.close();
  });

  test("a contract of the calendar month shows its window, its slices and its pace", async () => {
    for (const [lang, viewport, window, pace] of [
      ["en", undefined, /by the calendar of Asia\/Tokyo/, "spent evenly"],
      ["ja", phone, /Asia\/Tokyoの暦による期間/, "均等に使う場合"],
    ]) {
      const { page, context, complaints } = await open("/slos/storefront-contract", { lang, viewport });
      await page.getByText(window).waitFor();
      await page.getByText(pace).first().waitFor();
      await assertAccessible(page, `calendar SLO ${lang}`);
      await assertFits(page, `calendar SLO ${lang}`);
      await picture(page, `slo-calendar-${lang}`);
      assert.deepEqual(complaints, []);
      await context.close();
    }
  });

  test("a proposed version is declined, agreed to and put in force, with every word kept", async () => {
    const { page, context } = await open("/slos/storefront-contract");
    const section = part(page, "Commitment");
    const say = async (button, comment) => {
      await section.getByRole("button", { name: button }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("textbox").fill(comment);
      await assertAccessible(page, button);
      await dialog.getByRole("button", { name: button }).click();
      await dialog.waitFor({ state: "detached" });
    };
    await section.getByText("proposed", { exact: true }).waitFor();
    await say("Decline", "99.5% is too little");
    await section.getByRole("row", { name: /role:admin.*declines.*99.5% is too little/ }).waitFor();
    await say("Agree", "agreed after all");
    await section.getByRole("row", { name: /role:admin.*agrees/ }).waitFor();
    await say("Put in force without the missing words", "the team is away");
    await section.getByText("in force", { exact: true }).waitFor();
    await section.getByText(/Everything that was said/).click();
    for (const words of ["99.5% is too little", "agreed after all", "the team is away"]) await section.locator(".loglist").getByText(words).waitFor();
    await context.close();
  });

  test("an error-budget policy says its state and what follows", async () => {
    const { page, context } = await open("/slos/payment-availability");
    const section = part(page, "Commitment");
    await section.getByText("customer-facing").waitFor();
    await section.getByText("Policy: attention").waitFor();
    await section.getByText("Deployments are warned").waitFor();
    await context.close();
  });

  test("time that recurs is listed and marked on the charts", async () => {
    const { page, context } = await open("/slos/recommendation-availability");
    await page.getByRole("group", { name: "Time that does not count" }).getByRole("row", { name: /recommendation-training/ }).waitFor();
    await page.getByText("Excluded times").first().waitFor();
    await context.close();
  });

  test("bad events are taken apart by label values over a chosen span", async () => {
    const { page, context } = await open("/slos/search-latency");
    const section = part(page, "What burns: label values");
    await section.getByRole("button", { name: "1 d", exact: true }).click();
    await section.getByText(/events were bad|was bad/).first().waitFor();
    await settled(page);
    await assertAccessible(page, "label values");
    await context.close();
  });

  const grouped = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: each-service
  annotations:
    teiten.dev/by: service
spec:
  service: gateway
  indicator:
    metadata:
      name: each-service
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_requests_total{code=~"5.."})
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_requests_total)
  timeWindow:
    - duration: 1d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
`;

  test("an SLO is written in the browser: wrong, planned, applied, and its instances appear", async () => {
    const { page, context } = await open("/edit?service=gateway");
    const editor = page.getByRole("textbox", { name: "Definition as YAML" });
    const write = async (text) => {
      await editor.click();
      await page.keyboard.press("Control+a");
      await page.keyboard.insertText(text);
    };
    await write(grouped.replace("target: 0.999", "target: 99.9"));
    await page.keyboard.press("Control+Enter");
    await page.getByText("1 thing is wrong").waitFor();
    await page.locator(".cm-lintRange-error").first().waitFor();
    await page.getByRole("button", { name: /^Line \d+$/ }).click();
    await assertAccessible(page, "editor with a mistake");
    await picture(page, "edit-wrong-en");
    await write(grouped);
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByRole("row", { name: /each-service.*is added/ }).waitFor();
    await assertAccessible(page, "plan");
    await page.getByRole("button", { name: "Apply exactly this" }).click();
    await page.getByText("Applied", { exact: true }).waitFor();
    await page.getByRole("button", { name: "each-service", exact: true }).click();
    await page.waitForURL("**/slos/each-service");
    const instances = part(page, "Instances by service");
    await instances.getByRole("row", { name: /service=checkout/ }).waitFor({ timeout: 60_000 });
    await assertAccessible(page, "grouped SLO");
    await instances.getByRole("link", { name: /All \d+ as a list/ }).click();
    await page.waitForURL("**/slos?of=each-service");
    await page.getByRole("link", { name: "service=payment" }).click();
    await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "each-service" }).waitFor();
    const gone = await context.request.delete(world.base + "/api/v1/documents/SLO/default/each-service", { headers: { origin: world.base, "if-match": "*" } });
    assert.equal(gone.status(), 200, await gone.text());
    await context.close();
  });

  test("what comes from a repository can be tried, and is changed there", async () => {
    const { page, context } = await open("/slos/cart-latency");
    await page.getByRole("link", { name: "Edit as code" }).click();
    await page.waitForURL("**/edit?kind=SLO&name=cart-latency");
    await page.getByText("This comes from a repository").waitFor();
    const editor = page.getByRole("textbox", { name: "Definition as YAML" });
    await editor.click();
    await page.keyboard.press("Control+a");
    const yaml = await (await context.request.get(world.base + "/api/v1/documents/export?kind=SLO&name=cart-latency")).text();
    await page.keyboard.insertText(yaml.replace("target: 0.99", "target: 0.95"));
    await page.keyboard.press("Control+Enter");
    await page.getByRole("row", { name: /is changed.*0\.99.*0\.95/ }).waitFor();
    await page.getByText("Copy the text into the file above").waitFor();
    assert.equal(await page.getByRole("button", { name: "Apply exactly this" }).count(), 0);
    await context.close();
  });
}
