import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, linter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { editorColours, editorLook, foundAnew, isFoundAnew, styleNonce } from "../../parts/editorLook";
import { offsetOf } from "../../parts/offset";
import type { Finding } from "./findings";
import { yaml } from "./yaml";

interface Props {
  label: string;
  value: string;
  /** What the server found in a text, where. */
  found?: { text: string; findings: Finding[] };
  /** A place to go to; a new object goes there again. */
  goTo?: { line: number; column: number };
  onChange: (text: string) => void;
  onCheck: () => void;
}

/** An editor for YAML that shows what the server found wrong where it is. Ctrl+Enter checks. Tab leaves it. */
export default function YamlEditor(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    if (!box.current) return;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          Prec.high(keymap.of([{ key: "Mod-Enter", run: () => (latest.current.onCheck(), true) }])),
          history(),
          lineNumbers(),
          lintGutter(),
          bracketMatching(),
          indentUnit.of("  "),
          EditorView.lineWrapping,
          yaml,
          editorLook,
          syntaxHighlighting(editorColours),
          EditorView.contentAttributes.of({ "aria-label": latest.current.label, spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of((u) => u.docChanged && latest.current.onChange(u.state.doc.toString())),
          keymap.of([...historyKeymap, ...lintKeymap, ...defaultKeymap]),
          linter((v) => diagnostics(v, latest.current.found), { delay: 100, needsRefresh: isFoundAnew }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== props.value) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: props.value } });
  }, [props.value]);

  useEffect(() => {
    view.current?.dispatch({ effects: foundAnew.of(null) });
  }, [props.found]);

  useEffect(() => {
    const v = view.current;
    if (!v || !props.goTo) return;
    const at = offsetOf(v.state.doc.toString(), props.goTo.line, props.goTo.column);
    v.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    v.focus();
  }, [props.goTo]);

  return <div className="editor" ref={box} />;
}

/** What the server found, as long as the text is still the one that it judged. */
function diagnostics(v: EditorView, found: Props["found"]): Diagnostic[] {
  const text = v.state.doc.toString();
  if (found?.text !== text) return [];
  return found.findings
    .filter((f) => f.line !== undefined)
    .map((f) => {
      const from = offsetOf(text, f.line ?? 1, f.column ?? 1);
      const end = text.indexOf("\n", from);
      return { from, to: Math.max(from, end < 0 ? text.length : end), severity: f.severity, message: [f.detail, f.remedy].filter(Boolean).join(" ") };
    });
}
