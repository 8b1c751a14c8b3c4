import { expect, test } from "vitest";
import { offsetOf } from "../../parts/offset";
import { align, autoStep, stepOf } from "./results";

test("a step is chosen so that some 300 points fit", () => {
  expect(autoStep(3_600_000)).toBe(15);
  expect(autoStep(24 * 3_600_000)).toBe(300);
  expect(autoStep(30 * 24 * 3_600_000)).toBe(10_800);
  expect(autoStep(4000 * 24 * 3_600_000)).toBe(86_400);
});

test("a typed step is a duration of a second or more", () => {
  expect(stepOf("1m30s")).toBe(90);
  expect(stepOf("10ms")).toBeUndefined();
  expect(stepOf("soon")).toBeUndefined();
  expect(stepOf(undefined)).toBeUndefined();
});

test("series stand over one set of times, with nothing where they have no value", () => {
  const at = (s: number) => new Date(s * 1000).toISOString();
  const got = align({ total: 3, series: [{ name: "a", labels: {}, times: [at(1), at(3)], values: [1, null] }, { name: "b", labels: {}, times: [at(2)], values: [2] }, { name: "c", labels: {}, times: [at(9)], values: [9] }] }, 2);
  expect(got.times).toEqual([1000, 2000, 3000]);
  expect(got.lines.map((l) => l.values)).toEqual([
    [1, null, null],
    [null, 2, null],
  ]);
});

test("a place in a text is found, and never beyond it", () => {
  expect(offsetOf("sum(\nup", 2, 1)).toBe(5);
  expect(offsetOf("sum(", 1, 5)).toBe(4);
  expect(offsetOf("up", 7, 7)).toBe(2);
});
