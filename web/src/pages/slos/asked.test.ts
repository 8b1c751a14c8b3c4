import { expect, test } from "vitest";
import { askedOf } from "./asked";

const counter = { good: "sum(ok)", total: "sum(all)", counter: true, evaluatedPart: "sum(increase(ok[1m]))", evaluatedTotal: "sum(increase(all[1m]))" };

test("a ratio asks for its part and for all", () => {
  expect(askedOf(counter).map((q) => [q.role, q.source, q.evaluated])).toEqual([
    ["good", "sum(ok)", "sum(increase(ok[1m]))"],
    ["total", "sum(all)", "sum(increase(all[1m]))"],
  ]);
});

test("a threshold asks for one value, with what it is compared to", () => {
  expect(askedOf({ total: "", counter: false, value: "max(delay)", op: "lte", limit: 0.5 })).toEqual([{ part: "", role: "value", source: "max(delay)", evaluated: undefined, op: "lte", limit: 0.5 }]);
});

test("a ratio that the source computes says whether it is of failures", () => {
  expect(askedOf({ total: "", counter: false, ratio: "errors", rawType: "failure" })[0].role).toBe("errorRatio");
  expect(askedOf({ total: "", counter: false, ratio: "share", rawType: "success" })[0].role).toBe("ratio");
});

test("a composite asks for every part by its name, or else its place", () => {
  const parts = [
    { title: "Cart", weight: 1, objective: 0.99, queries: counter },
    { weight: 1, objective: 0.99, queries: { total: "", counter: false, value: "up" } },
  ];
  expect(askedOf({ total: "", counter: false, join: "and", parts }).map((q) => [q.part, q.role])).toEqual([
    ["Cart", "good"],
    ["Cart", "total"],
    ["2", "value"],
  ]);
});
