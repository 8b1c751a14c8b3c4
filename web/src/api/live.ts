/** How the live feed is doing. */
export type LiveState =
  | { name: "connecting" }
  | { name: "live" }
  | { name: "reconnecting"; since: number; attempt: number }
  | { name: "offline"; since: number };

/** The part of EventSource that the feed uses. */
export interface Source {
  onopen: ((e: Event) => void) | null;
  onerror: ((e: Event) => void) | null;
  addEventListener(type: string, listener: (e: MessageEvent<string>) => void): void;
  close(): void;
}

export interface LiveOptions {
  /** Opens a stream that starts after the given entry, or with the next one. */
  open(after: string | undefined): Source;
  onEntry(data: string, id: string): void;
  /** Called when the stream is back after a gap: what was missed must be asked for. */
  onGap(): void;
  onState(state: LiveState): void;
  now?(): number;
  setTimeout?(f: () => void, ms: number): unknown;
  clearTimeout?(handle: unknown): void;
  random?(): number;
}

/** Without a connection for this long, "reconnecting" becomes "offline". */
export const offlineAfter = 20_000;
const longestPause = 30_000;

/** How long to wait before the given attempt: doubling, at most 30 s, with jitter so that many browsers do not return at once. */
export function pause(attempt: number, random: number): number {
  const full = Math.min(longestPause, 1000 * 2 ** Math.min(attempt - 1, 10));
  return full / 2 + (full / 2) * random;
}

/**
 * LiveFeed keeps one server-sent event stream open. EventSource's own
 * reconnection stops for good at an HTTP error (a restart behind a proxy is
 * enough), so each break is handled here.
 */
export class LiveFeed {
  private source?: Source;
  private timer?: unknown;
  private lastID?: string;
  private brokenSince?: number;
  private attempt = 0;
  private stopped = false;
  private readonly o: Required<LiveOptions>;

  constructor(options: LiveOptions) {
    this.o = {
      now: () => Date.now(),
      setTimeout: (f, ms) => globalThis.setTimeout(f, ms),
      clearTimeout: (h) => globalThis.clearTimeout(h as number),
      random: () => Math.random(),
      ...options,
    };
  }

  start(): void {
    this.stopped = false;
    this.o.onState({ name: "connecting" });
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.o.clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  /** Tries at once, for example when the machine is back on the network. */
  retryNow(): void {
    if (this.stopped || this.brokenSince === undefined) return;
    this.o.clearTimeout(this.timer);
    this.connect();
  }

  private connect(): void {
    this.source?.close();
    const source = this.o.open(this.lastID);
    this.source = source;
    source.onopen = () => {
      if (source !== this.source) return;
      const wasBroken = this.brokenSince !== undefined;
      this.brokenSince = undefined;
      this.attempt = 0;
      this.o.onState({ name: "live" });
      if (wasBroken) this.o.onGap();
    };
    source.addEventListener("entry", (e) => {
      if (source !== this.source) return;
      if (e.lastEventId) this.lastID = e.lastEventId;
      this.o.onEntry(e.data, e.lastEventId);
    });
    source.onerror = () => {
      if (source === this.source) this.broke();
    };
  }

  private broke(): void {
    this.source?.close();
    this.source = undefined;
    if (this.stopped) return;
    const now = this.o.now();
    this.brokenSince ??= now;
    this.attempt++;
    const since = this.brokenSince;
    this.o.onState(now - since >= offlineAfter ? { name: "offline", since } : { name: "reconnecting", since, attempt: this.attempt });
    this.timer = this.o.setTimeout(() => this.connect(), pause(this.attempt, this.o.random()));
  }
}
