import { useQueryClient } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { LiveFeed, type LiveState } from "./live";
import { roomsOf } from "./rooms";
import type { Entry } from "./types";

interface Live {
  state: LiveState;
  /** Hears every entry as it comes; returns how to stop hearing. */
  listen(f: (entry: Entry) => void): () => void;
}

const LiveContext = createContext<Live>({ state: { name: "connecting" }, listen: () => () => {} });

/** At most this often does the feed make pages ask again. */
const gather = 400;

/** Keeps the live feed open and makes what an entry touches ask again. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>({ name: "connecting" });
  const listeners = useRef(new Set<(entry: Entry) => void>());

  useEffect(() => {
    const touched = new Set<string>();
    let timer: number | undefined;
    const flush = () => {
      timer = undefined;
      for (const room of touched) void client.invalidateQueries({ queryKey: [room] });
      touched.clear();
    };
    const feed = new LiveFeed({
      open: (after) => new EventSource("/api/v1/journal/stream" + (after ? `?after=${encodeURIComponent(after)}` : "")),
      onEntry: (text) => {
        let entry: Entry;
        try {
          entry = JSON.parse(text) as Entry;
        } catch {
          return; // A half-sent line: the next poll brings what it said.
        }
        listeners.current.forEach((f) => f(entry));
        roomsOf(entry.kind).forEach((room) => touched.add(room));
        timer ??= window.setTimeout(flush, gather);
      },
      onGap: () => void client.invalidateQueries(),
      onState: setState,
    });
    feed.start();
    const online = () => feed.retryNow();
    window.addEventListener("online", online);
    return () => {
      window.removeEventListener("online", online);
      window.clearTimeout(timer);
      feed.stop();
    };
  }, [client]);

  // Without the feed pages ask more often by themselves; with it, once a
  // minute, because the ledger moves each minute without an entry.
  const interval = state.name === "live" ? 60_000 : 15_000;
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (document.visibilityState === "visible") void client.invalidateQueries({ type: "active" });
    }, interval);
    return () => window.clearInterval(timer);
  }, [client, interval]);

  const value = useMemo<Live>(
    () => ({
      state,
      listen: (f) => {
        listeners.current.add(f);
        return () => listeners.current.delete(f);
      },
    }),
    [state],
  );
  return <LiveContext value={value}>{children}</LiveContext>;
}

export const useLive = () => useContext(LiveContext);
