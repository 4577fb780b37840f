import type { Mutant } from "../mutant.js";

const REDIS = ["redis/mute.test"];
const BUS = ["events/event-bus.test"];

/** Between the service and Redis: a connection that does not answer is left, and work is bounded. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "only the first node of a cluster is asked for the owner of the slot",
    file: "src/runtime/slot-connector.ts",
    find: "this.#nodes[(start + i) % this.#nodes.length]",
    replace: "this.#nodes[0]",
    tests: ["runtime/slot-connector.test"],
  },
  {
    breaks: "a silent connection to Redis is kept",
    file: "src/runtime/redis.ts",
    find: "socketTimeout: answerMs,",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "an idle connection to Redis is not pinged",
    file: "src/runtime/redis.ts",
    find: "redis.ping().catch(() => {})",
    replace: "redis.status",
    tests: REDIS,
  },
  {
    breaks: "an idle connection of BullMQ is not pinged",
    file: "src/runtime/redis.ts",
    find: "keepPinging(duplicate, pingMs);",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "BullMQ's blocking call is cut off before it can end",
    file: "src/runtime/redis.ts",
    find: "2 * answerMs",
    replace: "answerMs",
    tests: REDIS,
  },
  {
    breaks: "commands that Redis does not read pile up",
    file: "src/runtime/redis.ts",
    find: "> MAX_UNSENT_BYTES",
    replace: "> Infinity",
    tests: REDIS,
  },
  {
    breaks: "unpublished notifications are not counted",
    file: "src/events/event-bus.ts",
    find: "onDropped?.(count);",
    replace: "",
    tests: BUS,
  },
];
