import type { ProbeStep } from "../../api/types";

/** What a step spends its time on, in this order. */
export const phases = ["dns", "connect", "tls", "ttfb", "transfer"] as const;
export type Phase = (typeof phases)[number];

/** One phase of a step as a part of the whole, both from 0 to 1. */
export interface Piece {
  phase: Phase;
  from: number;
  length: number;
}

/** When everything was over, in milliseconds after the first step began. */
export function endOf(steps: readonly ProbeStep[]): number {
  return Math.max(0, ...steps.map((s) => s.startMs + s.totalMs));
}

/** A step's phases one after the other, in parts of the time that all steps took. */
export function pieces(step: ProbeStep, whole: number): Piece[] {
  if (!(whole > 0)) return [];
  let at = step.startMs;
  return phases.flatMap((phase) => {
    const ms = step[`${phase}Ms`];
    const piece = { phase, from: at / whole, length: ms / whole };
    at += ms;
    return ms > 0 ? [piece] : [];
  });
}
