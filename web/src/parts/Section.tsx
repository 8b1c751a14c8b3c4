import { useId, type ReactNode } from "react";

/** A named part of a page. */
export function Section({ title, more, note, id, children }: { title: string; more?: ReactNode; note?: ReactNode; id?: string; children: ReactNode }) {
  const own = useId();
  return (
    <section className="section" aria-labelledby={own} id={id}>
      <header>
        <h2 id={own}>{title}</h2>
        {note && <span className="dim small">{note}</span>}
        {more && <span className="more">{more}</span>}
      </header>
      {children}
    </section>
  );
}

/** A table that scrolls within itself when the screen is narrow, reachable by keyboard. */
export function TableBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="tablebox" role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
