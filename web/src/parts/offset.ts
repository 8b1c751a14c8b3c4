/** Where a place given by line and column (both from 1) lies in a text. */
export function offsetOf(text: string, line: number, column: number): number {
  const before = text.split("\n").slice(0, Math.max(0, line - 1));
  const start = before.reduce((sum, l) => sum + l.length + 1, 0);
  return Math.max(0, Math.min(text.length, start + Math.max(0, column - 1)));
}
