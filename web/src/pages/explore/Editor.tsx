import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { linter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";
import { useEffect, useRef } from "react";
import { editorColours, editorLook, foundAnew, isFoundAnew, styleNonce } from "../../parts/editorLook";
import { completionFrom } from "./completion";
import { offsetOf } from "../../parts/offset";

interface Props {
  label: string;
  hint: string;
  value: string;
  source?: string;
  /** What the server found wrong, where. */
  fault?: { text: string; line: number; column: number; message: string };
  onChange: (text: string) => void;
  onRun: () => void;
}

/** A PromQL editor that proposes metrics, labels, values and functions, and shows mistakes where they are. Enter runs, Shift+Enter begins a line. */
export default function Editor(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;
  const language = useRef(new Compartment());

  useEffect(() => {
    if (!box.current) return;
    const { label, hint, value } = latest.current;
    const made = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          Prec.high(
            keymap.of([
              { key: "Enter", run: () => (latest.current.onRun(), true) },
              { key: "Shift-Enter", run: insertNewline },
            ]),
          ),
          history(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          EditorView.lineWrapping,
          editorLook,
          syntaxHighlighting(editorColours),
          placeholder(hint),
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
          EditorView.updateListener.of((u) => u.docChanged && latest.current.onChange(u.state.doc.toString())),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
          language.current.of([]),
          linter((v) => faults(v, latest.current.fault), { delay: 100, needsRefresh: isFoundAnew }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const promql = new PromQLExtension().setComplete({ remote: completionFrom(props.source) });
    view.current?.dispatch({ effects: language.current.reconfigure(promql.asExtension()) });
    return () => promql.destroy();
  }, [props.source]);

  useEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== props.value) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: props.value } });
  }, [props.value]);

  useEffect(() => {
    view.current?.dispatch({ effects: foundAnew.of(null) });
  }, [props.fault]);

  return <div className="editor" ref={box} />;
}

/** What the server found wrong, as long as the text is still the one that it judged. */
function faults(v: EditorView, fault: Props["fault"]): Diagnostic[] {
  const text = v.state.doc.toString();
  if (!fault || fault.text !== text) return [];
  const at = offsetOf(text, fault.line, fault.column);
  return [{ from: Math.max(0, Math.min(at, text.length - 1)), to: Math.min(at + 1, text.length), severity: "error", message: fault.message }];
}
