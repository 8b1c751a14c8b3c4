import { activity } from "./texts/activity";
import { edit } from "./texts/edit";
import { explore } from "./texts/explore";
import { now } from "./texts/now";
import { oncall } from "./texts/oncall";
import { probes } from "./texts/probes";
import { promise } from "./texts/promise";
import { services } from "./texts/services";
import { settings } from "./texts/settings";
import { shell } from "./texts/shell";
import { slos } from "./texts/slos";

/** The texts of each part of the pages. No key stands in two of them. */
export const parts = { shell, now, slos, promise, probes, oncall, edit, explore, services, activity, settings };

/**
 * Every text of the pages: English, Japanese. Keys with _one and _other are
 * plural forms; Japanese uses _other. Words in {{braces}} are filled in.
 */
export const texts = {
  ...shell,
  ...now,
  ...slos,
  ...promise,
  ...probes,
  ...oncall,
  ...edit,
  ...explore,
  ...services,
  ...activity,
  ...settings,
} as const satisfies Record<string, readonly [string, string]>;

/** A text's key; plural forms are asked for without their ending. */
export type TextKey = {
  [K in keyof typeof texts]: K extends `${string}_one` | `${string}_other` ? never : K;
}[keyof typeof texts];
