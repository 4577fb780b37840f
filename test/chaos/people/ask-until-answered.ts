import { setTimeout as pause } from "node:timers/promises";
import type { ApiClient } from "./api-client.js";

const PAUSE_MS = 150;

/**
 * Repeats a request while its outcome is unknown, like a client. Throws if it is refused, or at the
 * deadline.
 */
export async function askUntilAnswered<T>(
  api: ApiClient,
  request: { query: string; variables?: object; deadlineMs: number; onRepeat?: () => void },
): Promise<T> {
  let why = "";
  for (const deadline = Date.now() + request.deadlineMs; Date.now() < deadline;) {
    const answer = await api.ask<T>(request.query, request.variables);
    if (answer.kind === "data") return answer.data;
    if (answer.kind === "refused") throw new Error(`${answer.code}: ${answer.message}`);
    why = answer.why;
    request.onRepeat?.();
    await pause(PAUSE_MS);
  }
  throw new Error(`no response within ${request.deadlineMs} ms (${why})`);
}
