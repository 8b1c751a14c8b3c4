import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";

/** A text filter: it is applied shortly after the last key. */
export function SearchField({ label, hint, value, onChange }: { label: string; hint?: string; value: string | undefined; onChange: (value: string | undefined) => void }) {
  const [text, setText] = useState(value ?? "");
  useEffect(() => setText((old) => (old.trim() === (value ?? "") ? old : (value ?? ""))), [value]);
  const apply = useDebouncedCallback((v: string) => onChange(v.trim() || undefined), 250);
  return (
    <label className="field">
      {label}
      <input type="search" value={text} placeholder={hint} onChange={(e) => (setText(e.target.value), apply(e.target.value))} />
    </label>
  );
}

/** One of several, or any. */
export function Choice({ label, value, any, options, onChange }: { label: string; value: string | undefined; any: string; options: (readonly [string, string])[]; onChange: (value: string | undefined) => void }) {
  const listed = value && !options.some(([v]) => v === value) ? [...options, [value, value] as const] : options;
  return (
    <label className="field">
      {label}
      <select value={value ?? ""} onChange={(e) => onChange(e.target.value || undefined)}>
        <option value="">{any}</option>
        {listed.map(([v, text]) => (
          <option key={v} value={v}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
