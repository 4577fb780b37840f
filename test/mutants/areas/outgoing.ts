import type { Mutant } from "../mutant.js";

const REDIS = ["redis/mute.test"];
const BUS = ["events/event-bus.test"];
const DELIVERIES = ["services/webhooks/webhook-deliveries.test"];
const REQUESTS = ["services/webhooks/webhook-requests.test"];
const SEARCH = ["services/webhooks/webhook-search.test"];
const UNDELIVERED = ["purge-events/undelivered.test"];
const POSITIONS = "src/services/webhooks/webhook-positions.ts";

/**
 * Between the service and Redis: a connection that does not answer is left, and work is bounded.
 * Between the workers and the receiver of webhooks: complete, in order, and nothing else.
 */
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
  {
    breaks: "a worker whose lease was taken over moves the position",
    file: POSITIONS,
    find: "where p.user_id = i.user_id and p.holder = i.holder",
    replace: "where p.user_id = i.user_id",
    tests: DELIVERIES,
  },
  {
    breaks: "two workers serve the same user",
    file: POSITIONS,
    find: "and (leased_until is null or leased_until < clock_timestamp())",
    replace: "",
    tests: DELIVERIES,
  },
  {
    breaks: "the next event is sent after a failure",
    file: "src/services/webhooks/webhook-requests.ts",
    find: "if (status >= 200 && status < 300) return null;",
    replace: "return null;",
    tests: DELIVERIES,
  },
  {
    breaks: "a request follows redirects",
    file: "src/services/webhooks/webhook-requests.ts",
    find: 'redirect: "manual",',
    replace: "",
    tests: REQUESTS,
  },
  {
    breaks: "a deleted QueuedJob is never reported",
    file: POSITIONS,
    find: "(type = any(${ENDS}) or unreported)",
    replace: "(type = any(${ENDS}))",
    tests: DELIVERIES,
  },
  {
    breaks: "every deleted QueuedJob is reported again",
    file: "src/services/queued-jobs/remove.ts",
    find: "nullif(w.seq < g.last_seq, false)",
    replace: "true",
    tests: DELIVERIES,
  },
  {
    breaks: "events of before the first start are delivered",
    file: "src/services/webhooks/webhook-search.ts",
    find: "and e.at < r.started_at order by",
    replace: "and false order by",
    tests: SEARCH,
  },
  {
    breaks: "the purge removes what no webhook has delivered",
    file: "src/services/maintenance/purge-events.ts",
    find: "${user}.held_seq is null or",
    replace: "true or",
    tests: UNDELIVERED,
  },
  {
    breaks: "a pause of all webhooks waits for the end of each page",
    file: POSITIONS,
    find: "r.stopped and i.step = 'event'",
    replace: "false",
    tests: DELIVERIES,
  },
  {
    breaks: "a webhook that is added during a long lease waits for minutes",
    file: "src/services/webhooks/webhook-deliveries.ts",
    find: "performance.now() - takenAt < SHORT_LEASE_MS",
    replace: "SHORT_LEASE_MS > takenAt || true",
    tests: DELIVERIES,
  },
  {
    breaks: "webhooks of a group's members wait for minutes",
    file: "src/services/webhooks/webhook-search.ts",
    find: "and expires_at is null) ends",
    replace: "and false) ends",
    tests: SEARCH,
  },
];
