import { parseArgs } from "node:util";

export interface SoakOptions {
  minutes: number;
  /** Logged events per second of steady submissions, beside the mixed load; 0: none. */
  events: number;
  /** Seconds that finished QueuedJobs and events are kept; null: as the service has it. */
  ttlSeconds: number | null;
}

/** Throws an Error with a sentence when an option makes no sense. */
export function parseSoakOptions(args: string[]): SoakOptions {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "30" },
      events: { type: "string", default: "0" },
      ttl: { type: "string" },
    },
  });
  const minutes = Number(values.minutes);
  const events = Number(values.events);
  const ttlSeconds = values.ttl === undefined ? null : Number(values.ttl);
  if (!(minutes >= 1 && minutes <= 24 * 60)) throw new Error("--minutes must be a number from 1 to 1440");
  if (!(events >= 0 && events <= 1000)) throw new Error("--events must be a number from 0 to 1000");
  if (ttlSeconds !== null && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 10)) {
    throw new Error("--ttl must be a whole number of seconds from 10");
  }
  return { minutes, events, ttlSeconds };
}
