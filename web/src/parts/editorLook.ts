import { HighlightStyle } from "@codemirror/language";
import { StateEffect } from "@codemirror/state";
import { EditorView, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** How code is coloured in every editor. */
export const editorColours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.propertyName], color: "var(--accent-text)", fontWeight: "600" },
  { tag: [tags.number, tags.string, tags.bool], color: "var(--ok-text)" },
  { tag: tags.comment, color: "var(--ink-2)", fontStyle: "italic" },
  { tag: tags.labelName, color: "var(--warn-text)" },
  { tag: tags.invalid, color: "var(--bad-text)" },
]);

/** How every editor looks. */
export const editorLook = EditorView.theme({
  "&": { fontSize: "0.8125rem", backgroundColor: "var(--surface)", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mantine-font-family-monospace)", padding: "0.5rem 0", caretColor: "var(--ink)", minHeight: "3rem" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-placeholder": { color: "var(--ink-2)" },
  ".cm-gutters": { backgroundColor: "var(--surface-2)", color: "var(--ink-2)", border: "0" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "6px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--accent-text)" },
  ".cm-completionDetail": { color: "var(--ink-2)", fontStyle: "normal" },
  ".cm-completionInfo": { maxWidth: "24rem" },
});

/** The nonce that the page's policy asks of styles that an editor adds. */
export const styleNonce = () => document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";

/** Tells an editor that what was found in its text is another now: its linter had looked before the answer came. */
export const foundAnew = StateEffect.define<null>();

export const isFoundAnew = (u: ViewUpdate) => u.transactions.some((t) => t.effects.some((e) => e.is(foundAnew)));
