import { expect, test } from "vitest";
import { endOf, pieces } from "./waterfall";

const step = (startMs: number, dnsMs: number, ttfbMs: number, transferMs: number) => ({ name: "", outcome: "success" as const, startMs, dnsMs, connectMs: 0, tlsMs: 0, ttfbMs, transferMs, totalMs: dnsMs + ttfbMs + transferMs });

test("phases follow each other within the time of all steps, and none is empty", () => {
  const steps = [step(0, 10, 30, 10), step(50, 0, 40, 10)];
  expect(endOf(steps)).toBe(100);
  expect(pieces(steps[0], 100)).toEqual([
    { phase: "dns", from: 0, length: 0.1 },
    { phase: "ttfb", from: 0.1, length: 0.3 },
    { phase: "transfer", from: 0.4, length: 0.1 },
  ]);
  expect(pieces(steps[1], 100).map((p) => p.from)).toEqual([0.5, 0.9]);
});

test("a check that took no time has no picture", () => {
  expect(endOf([])).toBe(0);
  expect(pieces(step(0, 0, 0, 0), 0)).toEqual([]);
});
