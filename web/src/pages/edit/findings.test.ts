import { expect, test } from "vitest";
import { Problem } from "../../api/client";
import { errorsOf, fileName, warningsOf } from "./findings";

test("each error of a refusal has its own place", () => {
  const error = new Problem(422, {
    detail: "2 errors",
    errors: [
      { detail: "a", where: { file: fileName, line: 3, column: 5 } },
      { detail: "b", remedy: "c", where: { line: 9 } },
    ],
  });
  expect(errorsOf(error).map((f) => [f.detail, f.line, f.column])).toEqual([
    ["a", 3, 5],
    ["b", 9, undefined],
  ]);
});

test("a single refusal is one error, and a place in somebody's file is none here", () => {
  expect(errorsOf(new Problem(409, { detail: "comes from code", where: { file: "slos/a.yaml", line: 7 } }))).toEqual([{ severity: "error", detail: "comes from code", remedy: undefined, line: undefined, column: undefined, field: undefined }]);
});

test("a server that fails says nothing about the text", () => {
  expect(errorsOf(new Problem(500, { detail: "broken" }))).toEqual([]);
  expect(errorsOf(new Error("no answer"))).toEqual([]);
});

test("warnings are no errors", () => {
  expect(warningsOf([{ detail: "w", where: { line: 2 } }])).toMatchObject([{ severity: "warning", line: 2 }]);
  expect(warningsOf(undefined)).toEqual([]);
});
