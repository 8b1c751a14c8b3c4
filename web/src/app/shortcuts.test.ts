import { expect, test, vi } from "vitest";
import { press } from "./shortcuts";

const actions = () => ({ go: vi.fn(), jump: vi.fn(), help: vi.fn() });

test("g and a letter go to a page", () => {
  const a = actions();
  const g = press("g", 0, undefined, a);
  expect(g.pending).toBe(0);
  expect(press("o", 500, g.pending, a)).toEqual({ ours: true });
  expect(a.go).toHaveBeenCalledExactlyOnceWith("/slos");
});

test("g is forgotten after a while", () => {
  const a = actions();
  press("s", 2000, press("g", 0, undefined, a).pending, a);
  expect(a.go).not.toHaveBeenCalled();
});

test("g and a letter without meaning does nothing and waits no longer", () => {
  const a = actions();
  expect(press("x", 10, 0, a)).toEqual({ ours: false });
  expect(a.go).not.toHaveBeenCalled();
});

test("slash searches and question mark helps", () => {
  const a = actions();
  press("/", 0, undefined, a);
  press("?", 0, undefined, a);
  expect(a.jump).toHaveBeenCalledOnce();
  expect(a.help).toHaveBeenCalledOnce();
});
