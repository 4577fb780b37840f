// `node dist/bench/soak/main.js` loads this into the service's processes. It collects garbage and
// reports the process's resources to each connection. Only the inspector can find every emitter.
import { EventEmitter } from "node:events";
import { Session, type Runtime } from "node:inspector";
import { createServer } from "node:net";
import { join } from "node:path";

/** Resources of a process, in MB or as counts. */
export interface Resources {
  heapMb: number;
  /** Memory outside of the heap, mainly buffers. */
  externalMb: number;
  timers: number;
  /** Sockets, pipes, servers and child processes. */
  handles: number;
  emitters: number;
  listeners: number;
}

const MEBIBYTE = 1024 * 1024;

createServer((socket) => {
  socket.on("error", () => {});
  socket.end(JSON.stringify(count()));
})
  .listen(join(process.env["PROBE_FOLDER"] ?? ".", `${process.pid}.sock`))
  .unref();

function count(): Resources {
  const { emitters, listeners } = countEmitters();
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((name) => name === "Timeout" || name === "Immediate").length;
  return {
    heapMb: heapUsed / MEBIBYTE,
    externalMb: external / MEBIBYTE,
    timers,
    handles: resources.length - timers,
    emitters,
    listeners,
  };
}

/** Runs in the inspector, because only there the array is accessible. */
const SUM = `function () {
  let listeners = 0;
  for (const emitter of this) {
    try {
      for (const name of emitter.eventNames()) listeners += emitter.listenerCount(name);
    } catch {} // A prototype is not an emitter.
  }
  return { emitters: this.length, listeners };
}`;

function countEmitters(): { emitters: number; listeners: number } {
  Object.assign(globalThis, { probedEmitter: EventEmitter });
  const session = new Session();
  session.connect();
  // On the same thread, callbacks run before `post` returns. `queryObjects` collects garbage first.
  const prototype = ask<Runtime.EvaluateReturnType>(session, "Runtime.evaluate", {
    expression: "probedEmitter.prototype",
  }).result;
  const { objects } = ask<Runtime.QueryObjectsReturnType>(session, "Runtime.queryObjects", {
    prototypeObjectId: prototype.objectId,
  });
  const { result } = ask<Runtime.CallFunctionOnReturnType>(session, "Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration: SUM,
    returnByValue: true,
  });
  session.disconnect();
  return result.value as { emitters: number; listeners: number };
}

function ask<T>(session: Session, method: string, parameters: object): T {
  const answers: T[] = [];
  session.post(method, parameters, (error, answer) => {
    if (error) throw error;
    answers.push(answer as T);
  });
  const [answer] = answers;
  if (answer === undefined) throw new Error(`${method} did not return a result synchronously`);
  return answer;
}
