import { parseArgs } from "node:util";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Only faults whose name holds this. */
  only: string;
  /** Seconds that finished QueuedJobs and events are kept; null: as the service has it. */
  ttlSeconds: number | null;
  /** Logged events per second that the people make together. */
  events: number;
}

/** Throws an Error with a sentence when they make no sense. */
export function parseChaosOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({ args, options: { minutes: { type: "string", default: "1" }, seed: { type: "string" }, only: { type: "string", default: "" }, ttl: { type: "string" }, events: { type: "string", default: "40" } } });
  const events = Number(values.events);
  const ttlSeconds = values.ttl === undefined ? null : Number(values.ttl);
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error("--minutes must be a number above 0, 1440 at most");
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error("--seed must be a whole number from 0");
  if (!(events > 0 && events <= 1000)) throw new Error("--events must be a number above 0, 1000 at most");
  if (ttlSeconds !== null && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 30)) throw new Error("--ttl must be a whole number of seconds from 30");
  return { minutes, seed, only: values.only, ttlSeconds, events };
}
