import { Problem, type ProblemBody } from "../../api/client";

/** Something that a check found in a text. */
export interface Finding {
  severity: "error" | "warning";
  detail: string;
  remedy?: string;
  /** From 1; absent where it has no place in the text. */
  line?: number;
  column?: number;
  field?: string;
}

function findingOf(p: ProblemBody, severity: Finding["severity"]): Finding {
  // A place in a file is one in some repository, not in the text of the page.
  const here = p.where?.file && p.where.file !== fileName ? undefined : p.where;
  return { severity, detail: p.detail ?? p.title ?? "", remedy: p.remedy, line: here?.line || undefined, column: here?.column || undefined, field: p.field };
}

/** The name under which the page sends its text. */
export const fileName = "editor.yaml";

/** What a refusal says of the text, one by one; nothing where it was not refused for what it says. */
export function errorsOf(error: unknown): Finding[] {
  if (!(error instanceof Problem) || error.status < 400 || error.status >= 500) return [];
  const parts = error.body.errors?.length ? error.body.errors : [error.body];
  return parts.map((p) => findingOf(p, "error"));
}

/** What a plan warns of. */
export function warningsOf(warnings: readonly ProblemBody[] | undefined): Finding[] {
  return (warnings ?? []).map((w) => findingOf(w, "warning"));
}
