import { describe, expect, it } from "vitest";
import { byDay, monthAfter, wallClock, weeksOf } from "./days";

describe("the month calendar", () => {
  it("begins with the Monday on or before the first", () => {
    const weeks = weeksOf("2026-11");
    expect(weeks[0][0]).toBe("2026-10-26");
    expect(weeks).toHaveLength(6);
    expect(weeks[5]).toContain("2026-11-30");
  });

  it("walks over the end of a year", () => {
    expect(monthAfter("2026-12", 1)).toBe("2027-01");
    expect(monthAfter("2026-01", -1)).toBe("2025-12");
  });

  it("shows a shift on each of its days, in the schedule's zone and not the reader's", () => {
    const days = byDay([{ from: "2026-11-02T01:00:00Z", to: "2026-11-03T15:00:00Z" }], "Asia/Tokyo");
    expect([...days.keys()]).toEqual(["2026-11-02", "2026-11-03"]); // until midnight in Tokyo
    expect(days.get("2026-11-02")?.[0].time).toBe("10:00");
    expect(days.get("2026-11-03")?.[0].time).toBeNull();
  });

  it("reads the clock across a change of it", () => {
    expect(wallClock(Date.parse("2027-03-14T06:59:00Z"), "America/New_York")).toEqual({ date: "2027-03-14", time: "01:59" });
    expect(wallClock(Date.parse("2027-03-14T07:00:00Z"), "America/New_York")).toEqual({ date: "2027-03-14", time: "03:00" });
  });
});
