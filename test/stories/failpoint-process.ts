// A process of the service in which one failpoint is armed: `node failpoint-process.js api|worker`,
// with FAILPOINT and FAILPOINT_HOW in its environment. Only the first time counts, so that what
// comes after it can be seen.
import { armFailpoints, type FailpointName } from "../../src/runtime/failpoint.js";

/**
 * `crash`: as kill -9 would. `freeze`: the whole process stands still, until SIGCONT. `error`:
 * something throws.
 */
export type FaultKind = "crash" | "freeze" | "error";

const wanted = process.env["FAILPOINT"] as FailpointName | undefined;
const how = process.env["FAILPOINT_HOW"] as FaultKind | undefined;
let hit = false;

armFailpoints(async (name) => {
  if (name !== wanted || hit) return;
  hit = true;
  process.send?.({ hit: name });
  if (how === "error") throw new Error(`An error at "${name}"`);
  process.kill(process.pid, how === "crash" ? "SIGKILL" : "SIGSTOP");
  // A signal to oneself is not there at once.
  await new Promise((resolve) => setTimeout(resolve, 50));
});

// Its name is no argument of its own.
const [program] = process.argv.splice(2, 1);
await import(`../../src/bin/${program}.js`);
