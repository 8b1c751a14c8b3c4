import { beforeEach, describe, expect, test } from "vitest";
import { LiveFeed, offlineAfter, pause, type LiveState, type Source } from "./live";
import { roomsOf } from "./rooms";

class FakeSource implements Source {
  onopen: ((e: Event) => void) | null = null;
  onerror: ((e: Event) => void) | null = null;
  closed = false;
  listeners: ((e: MessageEvent<string>) => void)[] = [];
  readonly after: string | undefined;
  constructor(after: string | undefined) {
    this.after = after;
  }
  addEventListener(_type: string, listener: (e: MessageEvent<string>) => void) {
    this.listeners.push(listener);
  }
  close() {
    this.closed = true;
  }
  open = () => this.onopen?.(new Event("open"));
  fail = () => this.onerror?.(new Event("error"));
  send = (id: string, data: string) => this.listeners.forEach((l) => l({ data, lastEventId: id } as MessageEvent<string>));
}

let clock: number;
let timers: { at: number; f: () => void; cancelled: boolean }[];
let sources: FakeSource[];
let states: LiveState[];
let entries: string[];
let gaps: number;

function feed() {
  return new LiveFeed({
    open: (after) => {
      const s = new FakeSource(after);
      sources.push(s);
      return s;
    },
    onEntry: (data) => entries.push(data),
    onGap: () => gaps++,
    onState: (s) => states.push(s),
    now: () => clock,
    random: () => 1,
    setTimeout: (f, ms) => {
      const timer = { at: clock + ms, f, cancelled: false };
      timers.push(timer);
      return timer;
    },
    clearTimeout: (h) => {
      if (h) (h as { cancelled: boolean }).cancelled = true;
    },
  });
}

/** Moves the clock to the next timer and runs it. */
function tick() {
  const next = timers.filter((t) => !t.cancelled).sort((a, b) => a.at - b.at)[0];
  timers = timers.filter((t) => t !== next);
  clock = next.at;
  next.f();
}

beforeEach(() => {
  clock = 1_000_000;
  timers = [];
  sources = [];
  states = [];
  entries = [];
  gaps = 0;
});

const last = <T>(list: T[]) => list[list.length - 1];

describe("live feed", () => {
  test("is live once the stream opens, without a gap the first time", () => {
    feed().start();
    sources[0].open();
    expect(states.map((s) => s.name)).toEqual(["connecting", "live"]);
    expect(gaps).toBe(0);
  });

  test("goes on after the last entry it saw, and has what was missed asked for", () => {
    feed().start();
    sources[0].open();
    sources[0].send("e7", "{}");
    sources[0].fail();
    expect(last(states).name).toBe("reconnecting");
    expect(sources[0].closed).toBe(true);
    tick();
    expect(sources[1].after).toBe("e7");
    sources[1].open();
    expect(last(states).name).toBe("live");
    expect(gaps).toBe(1);
  });

  test("is offline since the first failure when it stays away", () => {
    feed().start();
    const since = clock;
    while (clock - since < offlineAfter) {
      last(sources).fail();
      tick();
    }
    last(sources).fail();
    expect(last(states)).toEqual({ name: "offline", since });
  });

  test("begins anew with short pauses once it was back", () => {
    feed().start();
    for (let i = 0; i < 6; i++) {
      last(sources).fail();
      tick();
    }
    last(sources).open();
    const before = clock;
    last(sources).fail();
    tick();
    expect(clock - before).toBe(1000);
  });

  test("an old stream says nothing more", () => {
    feed().start();
    const old = sources[0];
    old.fail();
    tick();
    sources[1].open();
    old.send("e1", "stale");
    old.fail();
    expect(entries).toEqual([]);
    expect(last(states).name).toBe("live");
  });

  test("tries at once when the network is back, and only when it was broken", () => {
    const f = feed();
    f.start();
    sources[0].open();
    f.retryNow();
    expect(sources).toHaveLength(1);
    sources[0].fail();
    f.retryNow();
    expect(sources).toHaveLength(2);
    expect(timers.filter((t) => !t.cancelled)).toHaveLength(0);
  });

  test("stops for good", () => {
    const f = feed();
    f.start();
    f.stop();
    sources[0].fail();
    expect(timers.filter((t) => !t.cancelled)).toHaveLength(0);
    expect(sources[0].closed).toBe(true);
  });
});

test("pauses double up to half a minute and are spread", () => {
  expect(pause(1, 1)).toBe(1000);
  expect(pause(3, 1)).toBe(4000);
  expect(pause(99, 1)).toBe(30_000);
  expect(pause(1, 0)).toBe(500);
});

test("an entry makes its room ask again, and always the journal", () => {
  expect(roomsOf("slo.alert_fired")).toEqual(["journal", "slo"]);
  expect(roomsOf("slo.source_gone")).toContain("metrics");
  expect(roomsOf("ascode.applied")).toEqual(expect.arrayContaining(["catalog", "slo", "notify"]));
  expect(roomsOf("incident.opened")).toEqual(["journal"]);
});
