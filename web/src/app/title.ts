import { useEffect } from "react";

/** Names the page in the browser's tab, the most particular word first. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · Teiten` : "Teiten";
  }, [title]);
}
