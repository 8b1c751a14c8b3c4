import { useEffect, useRef } from "react";

/** Keys by which a page is reached: "g" and then one of these. */
export const goTo = { h: "/", s: "/services", o: "/slos", p: "/probes", c: "/oncall", e: "/explore", a: "/activity", t: "/settings" } as const;

/** Whether keys typed here are text. */
export function isTyping(target: EventTarget | null): boolean {
  const el = target as HTMLElement | null;
  return !!el?.closest?.('input, textarea, select, [contenteditable="true"], [role="dialog"]');
}

export interface Actions {
  go(path: (typeof goTo)[keyof typeof goTo]): void;
  jump(): void;
  help(): void;
}

/** How long "g" waits for its second key. */
const patience = 1500;

/**
 * Reads one key; `pending` is when "g" was pressed, if it waits for its
 * second key. Returns the new `pending` and whether the key was ours.
 */
export function press(key: string, now: number, pending: number | undefined, actions: Actions): { pending?: number; ours: boolean } {
  if (pending !== undefined && now - pending <= patience) {
    const path = goTo[key as keyof typeof goTo];
    if (path) actions.go(path);
    return { ours: path !== undefined };
  }
  if (key === "g") return { pending: now, ours: true };
  if (key === "/") return actions.jump(), { ours: true };
  if (key === "?") return actions.help(), { ours: true };
  return { ours: false };
}

export function useShortcuts(actions: Actions): void {
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    let pending: number | undefined;
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || isTyping(e.target)) return;
      const result = press(e.key, Date.now(), pending, current.current);
      pending = result.pending;
      if (result.ours) e.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
