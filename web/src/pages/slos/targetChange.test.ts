import { expect, test } from "vitest";
import { targetChange } from "./targetChange";

const slo = (objective: object) => ({ spec: { objectives: [objective] } });

test("a changed target is told, in percent too", () => {
  expect(targetChange({ before: slo({ target: 0.99 }), after: slo({ target: 0.999 }) })).toEqual([0.99, 0.999]);
  expect(targetChange({ before: slo({ targetPercent: 99 }), after: slo({ target: 0.95 }) })).toEqual([0.99, 0.95]);
});

test("what is no change of a target is none", () => {
  expect(targetChange({ before: slo({ target: 0.99 }), after: slo({ target: 0.99 }) })).toBeUndefined();
  expect(targetChange({ after: slo({ target: 0.99 }) })).toBeUndefined();
  expect(targetChange(undefined)).toBeUndefined();
});
