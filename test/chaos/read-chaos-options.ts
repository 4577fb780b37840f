import { readCommandLine } from "../../src/runtime/command-line.js";
import { readSeed } from "../support/runner/read-seed.js";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Only faults whose name holds this. */
  only: string;
  /** Logged events per second that the people make together. */
  events: number;
  /** Seconds that finished QueuedJobs and events are kept; null: as the service has it. */
  ttlSeconds: number | null;
}

export function readChaosOptions(): ChaosOptions {
  return readCommandLine(
    {
      name: "npm run chaos",
      about:
        "Put the service under load on private stores, let a hostile user in, inject " +
        "faults, and print what " +
        "was lost, repeated or out of order, and what others saw of it.",
      options: {
        minutes: {
          type: "string",
          value: "<number>",
          default: "1",
          about: "Length of the run, above 0.",
        },
        seed: { type: "string", value: "<number>", about: "Repeats the faults of an earlier run." },
        only: {
          type: "string",
          value: "<words>",
          default: "",
          about: "Only faults whose name holds this.",
        },
        events: {
          type: "string",
          value: "<number>",
          default: "40",
          about: "Logged events per second.",
        },
        ttl: {
          type: "string",
          value: "<seconds>",
          about: "Time that finished jobs and events are kept, from 30.",
        },
      },
      examples: ["--minutes 5 --seed 42", "--minutes 10 --events 100 --ttl 60"],
    },
    (values) => {
      const [minutes, events] = [Number(values.minutes), Number(values.events)];
      const ttlSeconds = values.ttl === undefined ? null : Number(values.ttl);
      if (!(minutes > 0 && minutes <= 24 * 60))
        throw new Error("--minutes must be a number above 0, 1440 at most");
      if (!(events > 0 && events <= 1000))
        throw new Error("--events must be a number above 0, 1000 at most");
      if (ttlSeconds !== null && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 30)) {
        throw new Error("--ttl must be a whole number of seconds from 30");
      }
      return { minutes, seed: readSeed(values.seed), only: values.only, events, ttlSeconds };
    },
  );
}
