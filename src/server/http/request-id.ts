import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

const SOUND = /^[\w.:-]{1,128}$/;

/** What a proxy in front called this request, where that can stand in a log; else a new name. */
export function requestIdOf(request: Pick<IncomingMessage, "headers">): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SOUND.test(given) ? given : newRequestId();
}

export function newRequestId(): string {
  const id = randomUUID();
  // Node makes it of twenty pieces, each an object as long as it is held: to be read puts them
  // together.
  SOUND.test(id);
  return id;
}
