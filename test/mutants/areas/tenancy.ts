import type { Mutant } from "../mutant.js";

const WALK = ["security/tenancy.test"];

/** The text before which a new field is inserted. */
const FIRST_FIELD =
  '@FieldResolver(() => String, { description: "Signed URL of the file; it expires." })';

/** A user's data is visible to that user only. */
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
];
