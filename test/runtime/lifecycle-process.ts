// A process with a lifecycle that behaves as its argument says. The lifecycle tests run it.
import { setTimeout as pause } from "node:timers/promises";
import { ConfigError } from "../../src/runtime/config.js";
import { runCommand, runProcess } from "../../src/runtime/lifecycle.js";
import { createLogger } from "../../src/runtime/logger.js";

const log = createLogger({ name: "test", level: "info", pretty: false });
const say = (text: string) => process.stdout.write(`${text}\n`);
const [mode] = process.argv.slice(2);
let hurry = () => {};

switch (mode) {
  case "command":
    await runCommand(async (stack) => {
      stack.add("first", () => say("closed first"));
      stack.add("second", () => say("closed second"));
      say("ran");
    });
    break;
  case "command that fails":
    await runCommand(async (stack) => {
      stack.add("first", () => say("closed first"));
      throw new ConfigError(["PORT is not a whole number"]);
    });
    break;
  case "command that does not close well":
    await runCommand(async (stack) => {
      stack.add("first", () => say("closed first"));
      stack.add("second", () => Promise.reject(new Error("stuck")));
    });
    break;
  default:
    await runProcess(
      {
        log,
        deadlineMs: mode === "never closes" ? 300 : 5000,
        ...(mode === "can hurry" && { hurry: () => hurry() }),
      },
      async (stack, closing) => {
        const alive = setInterval(() => {}, 1000);
        stack.add("first", () => {
          clearInterval(alive);
          say("closed first");
        });
        stack.add("second", async () => {
          await pause(10);
          say("closed second");
          if (mode === "does not close well") throw new Error("stuck");
          if (mode === "can hurry") await new Promise<void>((resolve) => (hurry = resolve));
          if (mode === "never closes" || mode === "closes slowly")
            await new Promise((resolve) => setTimeout(resolve, 60_000));
        });
        if (mode === "wrong configuration") throw new ConfigError(["PORT is not a whole number"]);
        if (mode === "bug at start") throw new TypeError("a bug");
        if (mode === "opens slowly") {
          say("opening");
          await pause(300);
          stack.add("third", () => say("closed third"));
        }
        if (mode === "waits for something") {
          say("waiting");
          await pause(60_000, undefined, { signal: closing });
        }
        if (mode === "fault later") setTimeout(() => Promise.reject(new TypeError("a bug")), 10);
      },
    );
    say("started");
}
