// The browser tests: one server with the example company, one Chromium.
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./browser.mjs";
import { startDemo } from "./server.mjs";
import { behaviour } from "./suites/behaviour.mjs";
import { firstRun } from "./suites/firstrun.mjs";
import { keyboard } from "./suites/keyboard.mjs";
import { pages } from "./suites/pages.mjs";
import { promise } from "./suites/promise.mjs";

/** What the suites share; filled in before they run. */
const world = { browser: undefined, base: undefined, state: undefined };
let demo;

before(async () => {
  world.browser = await launch();
  // TEITEN_URL and TEITEN_STATE point to a running server and a signed-in browser's state, for quick work on the pages.
  if (process.env.TEITEN_URL) {
    world.base = process.env.TEITEN_URL;
    world.state = process.env.TEITEN_STATE;
    return;
  }
  demo = await startDemo();
  world.base = demo.base;
  const { page, context } = await newPage(world.browser);
  await page.goto(demo.link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(world.base + "/");
  world.state = await context.storageState();
  await context.close();
});

after(async () => {
  await world.browser?.close();
  await demo?.stop();
});

describe("pages", () => pages(world, test));
describe("keyboard", () => keyboard(world, test));
describe("behaviour", () => behaviour(world, test));
describe("promise", () => promise(world, test));
describe("first run", () => firstRun(world, test));
