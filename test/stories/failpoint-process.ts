// A process of the service with one armed failpoint: `node failpoint-process.js api|worker`. The
// environment variables FAILPOINT and FAILPOINT_HOW configure it. The failpoint fires only once, so
// that tests can observe the behaviour after it.
import { armFailpoints, type FailpointName } from "../../src/runtime/failpoint.js";

/** `crash`: like kill -9. `freeze`: the process stops until SIGCONT. `error`: an exception. */
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
  // A signal to the own process arrives with a delay.
  await new Promise((resolve) => setTimeout(resolve, 50));
});

// The started program must not see its name among its arguments.
const [program] = process.argv.splice(2, 1);
await import(`../../src/bin/${program}.js`);
