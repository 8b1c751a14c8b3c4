import { describe, expect, test } from "vitest";
import { binOf, gatherHeat, moveIn } from "./heat";

describe("heat map", () => {
  test.each([
    ["burning", 0.9, "burning"],
    ["exhausted", -0.2, "over"],
    ["healthy", 0, "over"],
    ["attention", 0.2499, "low"],
    ["healthy", 0.25, "half"],
    ["healthy", 0.5, "most"],
    ["healthy", 0.75, "full"],
    ["healthy", null, "unknown"],
    ["unknown", 1, "unknown"],
    ["backfilling", 0.4, "unknown"],
  ])("%s with %d left is %s", (status, left, bin) => expect(binOf(status, left)).toBe(bin));

  const budgets = { names: ["a", "b", "c"], titles: ["", "", ""], groups: ["y", "x", "y"], status: ["burning" as const, "healthy" as const, "healthy" as const], left: [0.1, 0.9, null] };

  test("groups keep the server's order, and every objective is in exactly one", () => {
    const groups = gatherHeat(budgets, true);
    expect(groups.map((g) => [g.key, g.cells])).toEqual([
      ["y", [0, 2]],
      ["x", [1]],
    ]);
    expect(groups[0].counts).toMatchObject({ burning: 1, unknown: 1, full: 0 });
    expect(gatherHeat(budgets, false).map((g) => g.cells)).toEqual([[0, 1, 2]]);
  });

  test("arrow keys stay among the cells", () => {
    expect(moveIn("ArrowRight", 0, 5, 3)).toBe(1);
    expect(moveIn("ArrowDown", 1, 5, 3)).toBe(4);
    expect(moveIn("ArrowDown", 2, 5, 3)).toBeUndefined();
    expect(moveIn("ArrowUp", 2, 5, 3)).toBeUndefined();
    expect(moveIn("a", 2, 5, 3)).toBeUndefined();
  });
});
