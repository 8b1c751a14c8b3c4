import createClient, { type Middleware } from "openapi-fetch";
import type { Both } from "../i18n";
import type { paths } from "./schema";

/** Where in a document something is wrong. */
export interface Position {
  file?: string;
  line?: number;
  column?: number;
}

/** What the server says when it refuses (RFC 9457), with our own members. */
export interface ProblemBody {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  remedy?: string;
  where?: Position;
  field?: string;
  requestId?: string;
  errors?: ProblemBody[];
}

/** A refusal by the server, or its silence (status 0). */
export class Problem extends Error {
  readonly status: number;
  readonly body: ProblemBody;
  readonly retryAfter?: number;
  constructor(status: number, body: ProblemBody, retryAfter?: number) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

type Listener = () => void;
const expiredListeners = new Set<Listener>();

/** Calls back whenever the server no longer knows the session. */
export function onSessionExpired(listener: Listener): () => void {
  expiredListeners.add(listener);
  return () => expiredListeners.delete(listener);
}

/** Turns every answer that is no success into a thrown Problem. */
export async function toProblem(response: Response): Promise<Problem> {
  let body: ProblemBody = { status: response.status, title: response.statusText };
  if (/json/.test(response.headers.get("content-type") ?? "")) {
    body = await response.clone().json().catch(() => body);
  }
  const after = Number(response.headers.get("retry-after"));
  return new Problem(response.status, body, Number.isFinite(after) && after > 0 ? after : undefined);
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    if (response.status === 401) expiredListeners.forEach((l) => l());
    throw await toProblem(response);
  },
  onError({ error }) {
    if (error instanceof Problem || (error instanceof DOMException && error.name === "AbortError")) return undefined;
    return new Problem(0, { title: String(error) });
  },
};

export const api = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://localhost" : location.origin,
});
api.use(refusals);

export type { Both };
