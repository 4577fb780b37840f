import type { Mutant } from "../mutant.js";

const REDIS = ["redis/mute.test"];
const BUS = ["events/event-bus.test"];

/** What holds when Redis is there and does not answer. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a connection to Redis that is mute is kept",
    file: "src/runtime/redis.ts",
    find: "socketTimeout: answerMs,",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "an idle connection to Redis is not asked whether it is answered",
    file: "src/runtime/redis.ts",
    find: "redis.ping().catch(() => {})",
    replace: "redis.status",
    tests: REDIS,
  },
  {
    breaks: "an idle connection of BullMQ is not asked whether it is answered",
    file: "src/runtime/redis.ts",
    find: "keepAsking(made, pingMs);",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "BullMQ's call for work is cut off before it can end",
    file: "src/runtime/redis.ts",
    find: "2 * answerMs",
    replace: "answerMs",
    tests: REDIS,
  },
  {
    breaks: "what Redis does not read piles up",
    file: "src/runtime/redis.ts",
    find: "> MAX_UNSENT_BYTES",
    replace: "> Infinity",
    tests: REDIS,
  },
  {
    breaks: "notifications that could not be published are not counted",
    file: "src/events/event-bus.ts",
    find: "onDropped?.(count);",
    replace: "",
    tests: BUS,
  },
];
