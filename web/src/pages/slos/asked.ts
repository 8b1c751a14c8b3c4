import type { SLODetail } from "../../api/types";

type Expressions = SLODetail["queries"];

/** One expression of an objective, as its document has it and as its source is asked. */
export interface Asked {
  /** The part of a composite that it belongs to. */
  part: string;
  role: "good" | "bad" | "total" | "value" | "ratio" | "errorRatio";
  source: string;
  evaluated?: string;
  op?: "lt" | "lte" | "gt" | "gte";
  limit?: number;
}

/** Every expression of an objective in order, those of a composite's parts with the part's name. */
export function askedOf(q: Expressions, part = ""): Asked[] {
  if (q.parts?.length) return q.parts.flatMap((p, i) => askedOf(p.queries, p.title || String(i + 1)));
  if (q.value) return [{ part, role: "value", source: q.value, evaluated: q.evaluatedPart, op: q.op, limit: q.limit }];
  if (q.ratio) return [{ part, role: q.rawType === "failure" ? "errorRatio" : "ratio", source: q.ratio, evaluated: q.evaluatedPart }];
  const one = q.bad ? ({ role: "bad", source: q.bad } as const) : ({ role: "good", source: q.good ?? "" } as const);
  return [
    { part, ...one, evaluated: q.evaluatedPart },
    { part, role: "total", source: q.total, evaluated: q.evaluatedTotal },
  ];
}
