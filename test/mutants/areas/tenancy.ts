import type { Mutant } from "../mutant.js";

const BATCH = ["micro-batch.test"];
const OWNERS = ["owner-batch.test"];
const INSERTER = ["insert/batches.test"];
const OWNER_BATCH = "src/services/queued-jobs/owner-batch.ts";

const WALK = ["security/tenancy.test"];

/** The text before which a new field is inserted. */
const FIRST_FIELD =
  '@FieldResolver(() => String, { description: "Signed URL of the file; it expires." })';

/** A user sees no data of another one, and waits for none: also the guards of batches. */
export const MUTANTS: Mutant[] = [
  {
    core: true,
    breaks: "any user finds any photo",
    file: "src/services/photos/photos.ts",
    find: 'return photo && (photo.userId === actor.id || actor.role === "ADMIN") ? photo : null;',
    replace: "return photo ?? null;",
    tests: WALK,
  },
  {
    core: true,
    breaks: "any user finds any QueuedJob",
    file: "src/services/queued-jobs/owner-steps.ts",
    find:
      'return row && (row.queuedJob.userId === actor.id || actor.role === "ADMIN") ? ' +
      "row.queuedJob : null;",
    replace: "return row?.queuedJob ?? null;",
    tests: WALK,
  },
  {
    core: true,
    breaks: "a photo of another user may be submitted",
    file: "src/services/queued-jobs/enqueue.ts",
    find: "where user_id = ${userId} and id = any(${ids})",
    replace: "where ${userId} <> '' and id = any(${ids})",
    tests: WALK,
  },
  {
    core: true,
    breaks: "an idempotency key is shared between users",
    file: "src/services/queued-jobs/enqueue.ts",
    find: "where t.user_id = ${userId} and t.idempotency_key",
    replace: "where ${userId} <> '' and t.idempotency_key",
    tests: WALK,
  },
  {
    core: true,
    breaks: "events of all users are read as events of one",
    file: "src/services/reads/event-log.ts",
    find: "where e.user_id = s.user_id and e.seq",
    replace: "where e.seq",
    tests: ["services/reads/event-log.test"],
  },
  {
    core: true,
    breaks: "another user's job can be subscribed to",
    file: "src/services/reads/event-log.ts",
    find: "where t.id = ${queuedJobId} and t.user_id = ${userId}`",
    replace: "where t.id = ${queuedJobId} and ${userId} <> ''`",
    tests: WALK,
  },
  {
    core: true,
    breaks: "bulk calls act on the QueuedJobs of all users",
    file: "src/services/queued-jobs/bulk/owner-bulk.ts",
    find: "where t.user_id = ${query.userId} and t.status",
    replace: "where ${query.userId} <> '' and t.status",
    tests: WALK,
  },
  ...[
    [
      "a query by an id",
      '@Query(() => PhotoType, { nullable: true, description: "x" })\n  ' +
        'photoOf(@Arg("id", () => ID, { description: "x" }) id: string, @Ctx() { user, ' +
        "photos }: Context): Promise<Photo | null> {\n    return photos.find(user, " +
        "parseId(id));\n  }",
    ],
    [
      "a query by a text that names a row",
      '@Query(() => PhotoType, { nullable: true, description: "x" })\n  ' +
        'photoOf(@Arg("photoId", () => String, { description: "x" }) id: string, @Ctx() { ' +
        "user, photos }: Context): Promise<Photo | null> {\n    return photos.find(user, " +
        "parseId(id));\n  }",
    ],
    [
      "a mutation",
      '@Mutation(() => Boolean, { description: "x" })\n  deletePhotos(): boolean {\n    ' +
        "return true;\n  }",
    ],
    [
      "a list",
      '@Query(() => [PhotoType], { description: "x" })\n  latestPhotos(): Photo[] {\n    ' +
        "return [];\n  }",
    ],
    [
      "a path from one object to another",
      '@FieldResolver(() => PhotoType, { nullable: true, description: "x" })\n  ' +
        "original(): Photo | null {\n    return null;\n  }",
    ],
    [
      "a URL",
      '@FieldResolver(() => String, { nullable: true, description: "x" })\n  ' +
        "originalUrl(): string | null {\n    return null;\n  }",
    ],
  ].map(([what, code]): Mutant => ({
    breaks: `${what} is added without a rule for other users`,
    file: "src/graphql/photo/photo.resolver.ts",
    find: FIRST_FIELD,
    replace: `${code}\n\n  ${FIRST_FIELD}`,
    tests: WALK,
  })),
  {
    core: true,
    breaks: "a user keeps another user's output",
    file: "src/services/reads/queued-job-reads.ts",
    find: "where q.id = ${queuedJobId} and q.user_id = ${userId} and o.name",
    replace: "where q.id = ${queuedJobId} and ${userId}::uuid is not null and o.name",
    tests: ["services/photos/kept-outputs.test"],
  },
  {
    core: true,
    breaks: "a batch that may have been written is sent again",
    file: "src/runtime/micro-batch.ts",
    find: "return batch.forEach(({ reject }) => reject(error));",
    replace: "void ServiceUnavailableError;",
    tests: BATCH,
  },
  {
    breaks: "a batch that always takes too long is sent again without end",
    file: "src/runtime/micro-batch.ts",
    find: " && !options.tookTooLong?.(error)",
    replace: "",
    tests: BATCH,
  },
  {
    breaks: "a batch takes what has arrived before its turn comes",
    file: "src/runtime/micro-batch.ts",
    find: "await options.turns.take();",
    replace: "void options.turns.take();",
    tests: BATCH,
  },
  {
    breaks: "an item whose caller has given up is written in a batch",
    file: "src/runtime/micro-batch.ts",
    find: "if (!waiting || isGivenUp(waiting)) continue;",
    replace: "if (!waiting) continue;",
    tests: BATCH,
  },
  {
    breaks: "an item whose caller has given up is written alone",
    file: "src/runtime/micro-batch.ts",
    find: "if (!isGivenUp(waiting))\n",
    replace: "",
    tests: BATCH,
  },
  {
    breaks: "the number of items that wait in a lane is not limited",
    file: "src/runtime/micro-batch.ts",
    find: "if (lane.waiting.length >= maxWaiting)",
    replace: "if (lane.waiting.length >= 1e9)",
    tests: BATCH,
  },
  {
    breaks: "under load, the first item of a turn is sent without the others",
    file: "src/runtime/micro-batch.ts",
    find: "await nextTurn();",
    replace: "void nextTurn;",
    tests: BATCH,
  },
  {
    breaks: "an item waits in a lane without a limit",
    file: "src/runtime/micro-batch.ts",
    find: "const MAX_WAIT_MS = 2000;",
    replace: "const MAX_WAIT_MS = 20_000;",
    tests: BATCH,
  },
  {
    breaks: "only the first items that wait too long are refused",
    file: "src/runtime/micro-batch.ts",
    find: "    }\n    watch(lane);",
    replace: "    }",
    tests: BATCH,
  },
  {
    core: true,
    breaks: "a locked counter refuses the submissions of all users",
    file: OWNER_BATCH,
    find: "if (!isLockTimeout(error)) throw error;\n      return sendApart(name, item);",
    replace: "throw error;",
    tests: INSERTER,
  },
  {
    breaks: "a user with locked rows delays every batch",
    file: OWNER_BATCH,
    find: "if (apart.has(name)) return sendApart(name, item);",
    replace: "",
    tests: OWNERS,
  },
  {
    breaks: "a user is taken back while their rows are still locked",
    file: OWNER_BATCH,
    find: "const APART_MS = 5000;",
    replace: "const APART_MS = 0;",
    tests: OWNERS,
  },
  {
    breaks: "a user with locked rows is refused at once",
    file: OWNER_BATCH,
    find: "if (this.#lockedAt >= giveUpAt) throw error;",
    replace: "throw error;",
    tests: OWNERS,
  },
  {
    breaks: "a user whose rows stay locked is retried without end",
    file: OWNER_BATCH,
    find: "if (this.#lockedAt >= giveUpAt) throw error;",
    replace: "",
    tests: OWNERS,
  },
  {
    breaks: "an item that may have been written is sent again alone",
    file: OWNER_BATCH,
    find: "      if (!isLockTimeout(error)) throw error;\n      return",
    replace: "      return",
    tests: OWNERS,
  },
];
