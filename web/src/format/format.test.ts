import { describe, expect, test } from "vitest";
import { budget, burnRate, bytes, compact, number, objective, percent, sliDigits, unknown, value } from "./numbers";
import { dateTime, duration, parseDuration, relative, shortTime, windowName, zoneName } from "./time";

describe("budget", () => {
  test.each([
    [1, "100.0%"],
    [0.1834, "18.3%"],
    [0.9999, "99.9%"], // never more than is there
    [0, "0.0%"],
    [-0.1234, "-12.4%"], // overspending is never made smaller
    [-25, "-2,500%"],
  ])("%f reads %s", (v, text) => expect(budget(v, "en")).toBe(text));
  test("unknown is said to be unknown, not zero", () => {
    for (const v of [undefined, null, NaN, Infinity]) expect(budget(v, "ja")).toBe(unknown);
  });
});

describe("SLI", () => {
  test("just under the whole never reads as the whole", () => expect(percent(0.99999, "en", 2)).toBe("99.99%"));
  test.each([
    [0.9, 2],
    [0.99, 2],
    [0.999, 3],
    [0.9995, 4],
    [0.9999, 4],
    [1, 2],
  ])("an objective of %f shows %i digits", (target, digits) => expect(sliDigits(target)).toBe(digits));
  test("an objective keeps the digits it was written with", () => {
    expect(objective(0.999, "en")).toBe("99.9%");
    expect(objective(0.9995, "ja")).toBe("99.95%");
    expect(objective(0.99, "en")).toBe("99%");
  });
});

describe("burn rate", () => {
  test.each([
    [0, "0.00×"],
    [1, "1.00×"],
    [14.4, "14.4×"],
    [1234.6, "1,235×"],
    [null, unknown],
  ])("%s reads %s", (v, text) => expect(burnRate(v, "en")).toBe(text));
});

describe("numbers in both languages", () => {
  test("measured values of any size stay short", () => {
    expect(value(1234.56789, "en")).toBe("1,234.57");
    expect(value(0, "en")).toBe("0");
    expect(value(0.0000012, "en")).toBe("1.20e-6");
    expect(value(123_456_789, "ja")).toBe("1.23億");
    expect(value(null, "ja")).toBe("–");
  });
  test("large counts are compact by the language's own units", () => {
    expect(compact(123456, "en")).toBe("123k");
    expect(compact(123456, "ja")).toBe("12.3万");
  });
  test("thousands are grouped", () => {
    expect(number(1234567, "en")).toBe("1,234,567");
    expect(number(1234567, "ja")).toBe("1,234,567");
  });
  test("bytes", () => expect(bytes(48_300_000, "en")).toBe("48 MB"));
});

describe("duration", () => {
  const m = 60_000;
  const h = 60 * m;
  const d = 24 * h;
  test.each([
    [0, "0 s", "0秒"],
    [400, "400 ms", "400 ms"],
    [45_000, "45 s", "45秒"],
    [5 * m, "5 min", "5分"],
    [59 * m + 59_900, "1 h", "1時間"],
    [2 * h + 5 * m, "2 h 5 min", "2時間5分"],
    [30 * d, "30 d", "30日"],
    [2 * d + 5 * h + 3 * m, "2 d 5 h", "2日5時間"],
    [2 * d + 3 * m, "2 d", "2日"],
    [-90_000, "−1 min 30 s", "−1分30秒"],
  ])("%i ms", (ms, en, ja) => {
    expect(duration(ms, "en")).toBe(en);
    expect(duration(ms, "ja")).toBe(ja);
  });
  test.each([
    ["30d", 30 * d],
    ["1h30m", 90 * m],
    ["5m0s", 5 * m],
    ["2w", 14 * d],
    ["500ms", 500],
  ])("%s is read", (text, ms) => expect(parseDuration(text)).toBe(ms));
  test.each(["", "soon", "5", "5x", "1h "])("%j is no duration, unless only spaces surround it", (text) => {
    if (text.trim() === "1h") expect(parseDuration(text)).toBe(h);
    else expect(parseDuration(text)).toBeNaN();
  });
  test("a window is named, and kept as written when it is not understood", () => {
    expect(windowName("30d", "ja")).toBe("30日");
    expect(windowName("28d", "en")).toBe("28 d");
    expect(windowName("P1M", "en")).toBe("P1M");
  });
});

describe("moments", () => {
  const at = "2026-11-22T15:04:05Z";
  test("are in the reader's zone and language", () => {
    expect(dateTime(at, "en", "Asia/Tokyo")).toBe("23 Nov 2026, 00:04:05");
    expect(dateTime(at, "ja", "Asia/Tokyo")).toBe("2026年11月23日 00:04:05");
    expect(shortTime(at, "en", "UTC")).toBe("22 Nov, 15:04");
  });
  test("missing or broken ones are unknown", () => {
    expect(dateTime(undefined, "en")).toBe(unknown);
    expect(dateTime("yesterday", "en")).toBe(unknown);
  });
  test("relative to now", () => {
    const now = Date.parse(at);
    expect(relative(at, now + 2_000, "en")).toBe("just now");
    expect(relative(at, now + 2_000, "ja")).toBe("たった今");
    expect(relative(at, now + 5 * 60_000, "en")).toBe("5 min ago");
    expect(relative(at, now + 5 * 60_000, "ja")).toBe("5分前");
    expect(relative(at, now - 3 * 86_400_000, "ja")).toBe("3日後");
  });
  test("a zone is named with its offset", () => {
    expect(zoneName("Asia/Tokyo", new Date(at))).toBe("Asia/Tokyo (UTC+9)");
    expect(zoneName("UTC", new Date(at))).toBe("UTC");
  });
});
