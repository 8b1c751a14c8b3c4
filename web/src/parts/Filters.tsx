import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** A page's filters; on a narrow screen they stay behind one button until asked for. */
export function Filters({ active, children }: { active: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(active);
  return (
    <div role="search">
      <button className="smallbtn narrow-only" aria-expanded={opened} onClick={() => setOpened(!opened)}>
        {t("filter.show")}
      </button>
      <div className={opened ? "filters opened" : "filters"}>{children}</div>
    </div>
  );
}

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
