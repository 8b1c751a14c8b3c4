import { expect, test } from "vitest";
import { apportion } from "./apportion";

const sum = (of: number[]) => of.reduce((a, b) => a + b, 0);

test.each([
  [[0.3333, 0.3333, 0.3334], 2],
  [[0.355151, 0.037396, 0.018124, 0.016977, 0.0117, 0.002982, 0.000458, 0.000229, 0.136508], 4],
  [[1.5], 2],
  [[], 2],
])("the shown parts of %j add up to the shown whole", (parts, digits) => {
  const shown = apportion(parts, digits);
  expect(sum(shown)).toBeCloseTo(Number(sum(parts).toFixed(digits)), 10);
  shown.forEach((v, i) => expect(Math.abs(v - parts[i])).toBeLessThan(10 ** -digits));
});
