import { StreamLanguage, type StreamParser } from "@codemirror/language";

interface State {
  /** The indentation under which everything belongs to a block of text, or -1. */
  block: number;
}

/** Enough of YAML to colour it: keys, texts, numbers, comments and the lines between documents. */
export const yamlParser: StreamParser<State> = {
  name: "yaml",
  startState: () => ({ block: -1 }),
  token(stream, state) {
    if (stream.sol()) {
      const indent = stream.indentation();
      if (state.block >= 0 && (indent > state.block || /^\s*$/.test(stream.string))) {
        stream.skipToEnd();
        return "string";
      }
      state.block = -1;
      if (stream.match(/^(---|\.\.\.)\s*$/)) return "keyword";
    }
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^-(?=\s|$)/)) return null;
    if (stream.match(/^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#:,[\]{}][^#:,[\]{}]*?)(?=\s*:(?:\s|$))/)) return "propertyName";
    if (stream.eat(":")) return null;
    if (stream.match(/^[|>][+-]?\d?\s*$/)) {
      state.block = stream.indentation();
      return "keyword";
    }
    if (stream.match(/^-?\d+(?:\.\d+)?(?=\s*(?:[,\]}#]|$))/)) return "number";
    if (stream.match(/^(?:true|false|null)(?=\s*(?:[,\]}#]|$))/)) return "bool";
    if (stream.match(/^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/)) return "string";
    if (stream.match(/^[^\s#,[\]{}]+/)) return "string";
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "#" } },
};

export const yaml = StreamLanguage.define(yamlParser);
