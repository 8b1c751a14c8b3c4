/**
 * Rounds parts to so many digits in a way that keeps their sum: what is added
 * up on the page is the sum on the page (largest remainders are rounded up).
 */
export function apportion(parts: readonly number[], digits: number): number[] {
  const unit = 10 ** digits;
  const floors = parts.map((p) => Math.floor(p * unit));
  const whole = Math.round(parts.reduce((a, b) => a + b, 0) * unit);
  const left = whole - floors.reduce((a, b) => a + b, 0);
  const byRemainder = parts.map((p, i) => ({ i, rest: p * unit - floors[i] })).sort((a, b) => b.rest - a.rest);
  for (const { i } of byRemainder.slice(0, Math.max(0, left))) floors[i]++;
  return floors.map((n) => n / unit);
}
