import { describe, expect, test } from "vitest";
import { bandOf, budgetRange, burnRange, firmAndProvisional, paceOf, sliRange, tickText, unknownSpans, wideTicks, windowStarts } from "./chartMath";
import { flatten } from "./entryData";
import { originOf } from "./Managed";
import { splitRef } from "./Ref";
import { budgetTone } from "./Status";
import { browserName } from "../pages/settings/browserName";
import { gather } from "../pages/activity/runs";
import { byMessage } from "../pages/now/byMessage";
import { verdict } from "../pages/now/verdict";

describe("an entry's data", () => {
  test("a change shows only what differs", () => {
    expect(flatten({ before: { objective: 0.99, window: "30d", tags: ["a"] }, after: { objective: 0.999, window: "30d", tags: ["a"], owner: "x" } })).toEqual([
      { path: "objective", before: 0.99, after: 0.999, changed: true },
      { path: "owner", before: undefined, after: "x", changed: true },
    ]);
  });
  test("what is new is shown without a past", () => {
    expect(flatten({ after: { spec: { tier: "1" } } })).toEqual([{ path: "spec.tier", after: "1", changed: false }]);
  });
  test("a text in both languages stays one value", () => {
    const reason = { en: "burns", ja: "消費中" };
    expect(flatten({ reason })).toEqual([{ path: "reason", after: reason, changed: false }]);
  });
  test("nothing is nothing", () => {
    expect(flatten(undefined)).toEqual([]);
    expect(flatten({ a: null, b: "" })).toEqual([]);
  });
});

describe("charts", () => {
  test("unknown stretches reach halfway to their neighbours", () => {
    expect(unknownSpans([0, 10, 20, 30], [1, null, null, 1])).toEqual([[5, 25]]);
    expect(unknownSpans([0, 10, 20], [null, 1, null])).toEqual([
      [0, 5],
      [15, 20],
    ]);
    expect(unknownSpans([0, 10], [1, 1])).toEqual([]);
  });
  test("midnight is a date", () => {
    const clock = () => "00:00";
    expect(tickText(0, 3600, clock, () => "1 Jan")).toBe("1 Jan");
    expect(tickText(0, 3600, () => "06:00", () => "1 Jan")).toBe("06:00");
    expect(tickText(0, 86_400, () => "09:00", () => "1 Jan")).toBe("1 Jan");
  });
  test("the whole budget and nothing are in sight, overspending too", () => {
    const [low, high] = budgetRange(0.4, 0.6);
    expect(low).toBe(0);
    expect(high).toBeGreaterThanOrEqual(1);
    expect(budgetRange(-2, 0.5)[0]).toBeLessThan(-2);
  });
  test("an SLI's axis holds its values and hardly more than 100 %", () => {
    const [low, high] = sliRange(0.99, 1);
    expect(low).toBeLessThan(0.99);
    expect(high).toBeGreaterThan(1);
    expect(high).toBeLessThan(1.001);
  });
  test("burn rates begin at nothing and show at least the allowed rate", () => expect(burnRange(0, 0.01)[1]).toBeGreaterThan(1));
  test("wide ticks", () => expect(wideTicks(40)).toEqual([0, 1, 3, 10, 30]));
});

test("references", () => {
  expect(splitRef("service:checkout")).toEqual({ kind: "service", name: "checkout" });
  expect(splitRef("component:default/checkout")).toEqual({ kind: "component", name: "checkout" });
  expect(splitRef("plain")).toEqual({ kind: "", name: "plain" });
});

test("origins", () => {
  expect(originOf({ managedBy: "code:shop", file: "a.yaml", line: 3 })).toEqual({ by: "code", set: "shop", file: "a.yaml", line: 3 });
  expect(originOf({ managedBy: "browser" })?.by).toBe("browser");
  expect(originOf({})).toBeUndefined();
});

test("a budget is red only when it burns", () => {
  expect(budgetTone(0.5, "burning")).toBe("bad");
  expect(budgetTone(0.1, "healthy")).toBe("warn");
  expect(budgetTone(-0.1, "exhausted")).toBe("over");
  expect(budgetTone(undefined)).toBe("ok");
});

describe("the first sentence", () => {
  test.each([
    [{ healthy: 5 }, 0, "calm", 5],
    [{ healthy: 5, unknown: 1, backfilling: 2 }, 0, "unsure", 3],
    [{ healthy: 5, attention: 1, unknown: 4 }, 0, "attention", 1],
    [{ healthy: 5, exhausted: 1, attention: 3 }, 0, "exhausted", 1],
    [{ healthy: 5, burning: 1, exhausted: 3 }, 0, "burning", 1],
    [{ healthy: 5 }, 2, "burning", 2],
    [{}, 0, "calm", 0],
  ] as const)("%j with %i paging is %s", (tally, paging, key, count) => expect(verdict(tally, paging)).toEqual({ key, count }));
});

test("one message to several channels is one group, in order", () => {
  const d = (entry: string, kind = "slo.alert_fired") => ({ entry, kind });
  expect(byMessage([d("2"), d("2"), d("1"), d("2"), d(""), d("")]).map((g) => g.length)).toEqual([2, 1, 1, 1, 1]);
});

test("a line is drawn firm where it is, and its provisional part meets it", () => {
  expect(firmAndProvisional([1, 2, null, 3, 4], [true, true, true, false, false])).toEqual({ firm: [null, null, null, 3, 4], provisional: [1, 2, null, 3, null] });
  expect(firmAndProvisional([1, 2], [false, false])).toEqual({ firm: [1, 2] });
});

describe("many of a kind", () => {
  const entries = (kinds: string, actor = "a") => [...kinds].map((kind, i) => ({ id: kind + i, kind, actor: { id: actor } }));
  const shape = (rows: ReturnType<typeof gather>) => rows.map((r) => ("run" in r ? r.run.length : r.entry.id));
  test("become one row, fewer do not, and the order stays", () => expect(shape(gather(entries("aabbbbbbc"), undefined))).toEqual(["a0", "a1", 6, "c8"]));
  test("stay apart around the opened one", () => expect(shape(gather(entries("bbbbb"), "b3"))).toEqual(["b0", "b1", "b2", "b3", "b4"]));
  test("by different people stay apart", () => expect(shape(gather([...entries("bbbb"), ...entries("b", "x")], undefined))).toHaveLength(5));
});

test("browsers are named", () => {
  expect(browserName("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36")).toBe("Chrome 142 · Linux");
  expect(browserName("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1")).toBe("Safari 19 · iOS");
  expect(browserName("something else")).toBe("");
});

test("a band is drawn only where the truth may lie elsewhere", () => {
  expect(bandOf([0.1, null], [0.1, null])).toBeUndefined();
  expect(bandOf(undefined, undefined)).toBeUndefined();
  expect(bandOf([0.1, 0.2], [0.1, 0.3])).toEqual({ low: [0.1, 0.2], high: [0.1, 0.3] });
});

test("windows by the calendar begin where their start leaps, rolling ones nowhere", () => {
  expect(windowStarts([10, 10, 10, 40, 40])).toEqual([40]);
  expect(windowStarts([1, 2, 3, 4])).toEqual([]);
});

test("an even pace falls from the whole budget to nothing within each calendar window", () => {
  expect(paceOf([10, 15, 20, 25, 30], [10, 10, 10, 20, 20], 40)).toEqual([1, 0.5, 0, 0.75, 0.5]);
  expect(paceOf([5], [5], 5)).toEqual([null]);
});
