import { readCommandLine } from "../../src/runtime/command-line.js";

export interface SoakOptions {
  minutes: number;
  /** Logged events per second of steady submissions, in addition to the mixed load; 0 for none. */
  events: number;
  /** Retention of finished QueuedJobs and events in seconds; null for the service's default. */
  ttlSeconds: number | null;
}

export function readSoakOptions(): SoakOptions {
  return readCommandLine(
    {
      name: "node dist/bench/soak/main.js",
      about:
        "Put a steady mixed load on the service, and check that memory, timers, listeners, " +
        "handles and connections return to their values before. With --ttl, check that tables " +
        "stop growing.",
      options: {
        minutes: {
          type: "string",
          value: "<number>",
          default: "30",
          about: "Length of the load, from 1.",
        },
        events: {
          type: "string",
          value: "<number>",
          default: "0",
          about: "Additional logged events per second.",
        },
        ttl: {
          type: "string",
          value: "<seconds>",
          about: "Retention of finished jobs and events, from 10.",
        },
      },
      examples: ["--minutes 10", "--events 100 --ttl 60"],
    },
    (values) => {
      const [minutes, events] = [Number(values.minutes), Number(values.events)];
      const ttlSeconds = values.ttl === undefined ? null : Number(values.ttl);
      if (!(minutes >= 1 && minutes <= 24 * 60))
        throw new Error("--minutes must be a number from 1 to 1440");
      if (!(events >= 0 && events <= 1000))
        throw new Error("--events must be a number from 0 to 1000");
      if (ttlSeconds !== null && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 10)) {
        throw new Error("--ttl must be a whole number of seconds from 10");
      }
      return { minutes, events, ttlSeconds };
    },
  );
}
