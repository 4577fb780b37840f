import { setTimeout as pause } from "node:timers/promises";
import type { ApiClient } from "./api-client.js";

const BETWEEN_MS = 150;

/**
 * Repeats a request whose outcome is unknown, as a client does. Throws when it is refused, or not
 * answered in time.
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
    await pause(BETWEEN_MS);
  }
  throw new Error(`not answered within ${request.deadlineMs} ms (${why})`);
}
