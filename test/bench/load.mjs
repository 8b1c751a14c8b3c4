// Opens the list of objectives and prints how long the first load took, and the
// median of five later ones, in milliseconds.
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, base, login, password, rows] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
  const signIn = await context.newPage();
  await signIn.goto(base + "/signin");
  await signIn.fill("#login", login);
  await signIn.fill("#password", password);
  // What the page after signing in loads must not count as cached.
  await signIn.route("**/assets/**", (route) => route.abort());
  await Promise.all([signIn.waitForResponse((r) => r.url() === base + "/signin" && r.request().method() === "POST"), signIn.click("button[type=submit]")]);
  await signIn.close();

  const page = await context.newPage();
  const load = async () => {
    const began = performance.now();
    await page.goto(base + "/slos", { waitUntil: "commit" });
    await page.waitForFunction(
      (n) => document.querySelectorAll("main tbody tr").length > 10 && document.querySelector("main").innerText.replace(/[,.\s]/g, "").includes(n),
      rows, { polling: "raf", timeout: 60_000 });
    return performance.now() - began;
  };
  const first = await load();
  const later = [];
  for (let i = 0; i < 5; i++) {
    later.push(await load());
  }
  later.sort((a, b) => a - b);
  console.log(Math.round(first), Math.round(later[2]));
} finally {
  await browser.close();
}
