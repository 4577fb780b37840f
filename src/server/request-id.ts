import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

const SOUND = /^[\w.:-]{1,128}$/;

/** What a proxy in front called this request, where that can stand in a log; else a new name. */
export function requestIdOf(request: Pick<IncomingMessage, "headers">): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SOUND.test(given) ? given : randomUUID();
}
