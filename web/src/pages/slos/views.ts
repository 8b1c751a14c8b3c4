import { useState } from "react";
import { parseSearch, parseSLOSearch, stringifySearch, type SLOSearch } from "../../app/urlState";

/** A named state of the SLO list. */
export interface View {
  name: string;
  /** The state as it stands in the address. */
  search: string;
}

const mostViews = 30;

/** Reads views as they were kept; what is none of ours is left out. */
export function readViews(text: string | null): View[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept.filter((v): v is View => typeof v?.name === "string" && typeof v?.search === "string").slice(0, mostViews);
  } catch {
    return [];
  }
}

/** Adds a view; one with the same name is replaced. */
export function withView(views: View[], name: string, search: SLOSearch): View[] {
  const made = { name, search: stringifySearch({ ...search }) };
  const at = views.findIndex((v) => v.name === name);
  return at < 0 ? [...views, made].slice(-mostViews) : views.map((v, i) => (i === at ? made : v));
}

export function searchOf(view: View): SLOSearch {
  return parseSLOSearch(parseSearch(view.search));
}

/** The views that a person keeps in this browser. */
export function useViews(person: string | undefined) {
  const key = `teiten.views.slos.${person ?? ""}`;
  const [changed, setChanged] = useState<{ key: string; views: View[] }>();
  const views = changed?.key === key ? changed.views : readViews(localStorage.getItem(key));
  const keep = (next: View[]) => {
    localStorage.setItem(key, JSON.stringify(next));
    setChanged({ key, views: next });
  };
  return {
    views,
    save: (name: string, search: SLOSearch) => keep(withView(views, name, search)),
    remove: (name: string) => keep(views.filter((v) => v.name !== name)),
  };
}
