import { highlightTree, tagHighlighter, tags } from "@lezer/highlight";
import { expect, test } from "vitest";
import { yaml } from "./yaml";

const names = tagHighlighter([
  { tag: tags.propertyName, class: "key" },
  { tag: tags.string, class: "text" },
  { tag: tags.number, class: "number" },
  { tag: tags.bool, class: "bool" },
  { tag: tags.comment, class: "comment" },
  { tag: tags.keyword, class: "mark" },
]);

function coloured(text: string): string[] {
  const found: string[] = [];
  highlightTree(yaml.parser.parse(text), names, (from, to, name) => found.push(`${name} ${text.slice(from, to)}`));
  return found;
}

test("keys, values and comments are told apart", () => {
  expect(coloured("kind: SLO # why\nspec:\n  target: 0.999\n  rolling: true\n")).toEqual(["key kind", "text SLO", "comment # why", "key spec", "key target", "number 0.999", "key rolling", "bool true"]);
});

test("a colon within a query begins no value", () => {
  expect(coloured('query: sum(up{job="a:b"})')[0]).toBe("key query");
});

test("documents are divided, and a block of text has no keys", () => {
  expect(coloured("a: |\n  b: c\n\n  d: e\nf: 1\n---\ng: 2\n").filter((t) => t.startsWith("key"))).toEqual(["key a", "key f", "key g"]);
});
