import { describe, expect, test } from "vitest";
import { nextSort, parseActivitySearch, parseSearch, parseServiceSearch, parseSLOPageSearch, parseSLOSearch, stringifySearch } from "./urlState";

describe("addresses", () => {
  test.each([{}, { q: "checkout" }, { owner: "payments", tier: "1" }, { q: "決済 & 配送 +1?", sort: "-budget" }])("%j survives the way through an address", (state) => {
    expect(parseSearch(stringifySearch(state))).toEqual(state);
  });
  test("one state has one address", () => expect(stringifySearch({ tier: "1", owner: "a" })).toBe(stringifySearch({ owner: "a", tier: "1" })));
  test("numbers stay words and need no quotes", () => expect(stringifySearch({ tier: "1" })).toBe("?tier=1"));
  test("nothing is no question mark", () => expect(stringifySearch({ q: undefined, owner: "" })).toBe(""));
});

describe("SLO list", () => {
  test("keeps what it knows", () => {
    const state = { q: "a", service: "s", owner: "o", tier: "1", status: "burning", sort: "-budget" };
    expect(parseSLOSearch(state)).toEqual(state);
  });
  test("drops what it does not know instead of asking the server for it", () => {
    expect(parseSLOSearch({ status: "on-fire", sort: "password", q: "  ", owner: 7, extra: "x" })).toEqual({});
  });
});

test("other pages drop what they do not know", () => {
  expect(parseServiceSearch({ q: " a ", system: "", x: "y" })).toEqual({ q: "a" });
  expect(parseSLOPageSearch({ range: "1d" })).toEqual({ range: "1d" });
  expect(parseSLOPageSearch({ range: "1000y" })).toEqual({});
});

test("a time in the address is a time or nothing", () => {
  expect(parseActivitySearch({ from: "2026-11-22T10:00", to: "later" })).toEqual({ from: "2026-11-22T10:00" });
  expect(parseActivitySearch({ from: "2026-99-99T10:00" })).toEqual({});
});

test("a column's head goes through its orders and then off", () => {
  const orders = ["budget", "-budget"] as const;
  expect(nextSort(undefined, orders)).toBe("budget");
  expect(nextSort("budget", orders)).toBe("-budget");
  expect(nextSort("-budget", orders)).toBeUndefined();
  expect(nextSort<string>("name", orders)).toBe("budget");
});
