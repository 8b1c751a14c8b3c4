import { expect, test } from "vitest";
import { readViews, searchOf, withView } from "./views";

test("a view brings its state back, and its name is taken once", () => {
  const first = withView([], "mine", { owner: "payments", sort: "-budget" });
  const second = withView(first, "mine", { group: "team" as never, as: "map" });
  expect(searchOf(first[0])).toEqual({ owner: "payments", sort: "-budget" });
  expect(second).toHaveLength(1);
  expect(searchOf(second[0])).toEqual({ as: "map" });
});

test("what was kept by somebody else is no view", () => {
  for (const text of [null, "", "{", "7", '{"a":1}', '[1,null,{"name":1}]']) expect(readViews(text)).toEqual([]);
});
