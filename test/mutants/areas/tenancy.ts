import type { Mutant } from "../mutant.js";

const WALK = ["security/tenancy.test"];

/** Before which a new field is put. */
const FIRST_FIELD = '@FieldResolver(() => String, { description: "Signed, expiring URL of the bytes." })';

/** What is one person's is nobody else's. */
export const MUTANTS: Mutant[] = [
  { core: true, breaks: "anybody finds anybody's photo", file: "src/services/photos.ts", find: 'return photo && (photo.userId === actor.id || actor.role === "ADMIN") ? photo : null;', replace: "return photo ?? null;", tests: WALK },
  { core: true, breaks: "anybody finds anybody's QueuedJob", file: "src/services/queued-jobs.ts", find: 'return row && (row.queuedJob.userId === actor.id || actor.role === "ADMIN") ? row.queuedJob : null;', replace: "return row?.queuedJob ?? null;", tests: WALK },
  { breaks: "cancel does not ask whose it is", file: "src/services/queued-jobs.ts", find: "await get(actor, id);\n      const cancelled", replace: "const cancelled", tests: WALK },
  { breaks: "retry does not ask whose it is", file: "src/services/queued-jobs.ts", find: "await get(actor, id);\n      const again", replace: "const again", tests: WALK },
  { breaks: "anybody sees anybody by node", file: "src/graphql/node/node.resolver.ts", find: 'const visible = person && (person.id === user.id || user.role === "ADMIN") ? person : null;', replace: "const visible = person ?? null;", tests: WALK },
  { breaks: "anybody sees anybody by user", file: "src/graphql/user/user.resolver.ts", find: 'return wanted === user.id || user.role === "ADMIN" ? ((await users.findMany([wanted]))[0] ?? null) : null;', replace: "return (await users.findMany([wanted]))[0] ?? null;", tests: WALK },
  { breaks: "anybody lists everybody", file: "src/graphql/user/user.resolver.ts", find: 'if (user.role !== "ADMIN") throw new ForbiddenError("Only an admin may list users.");', replace: "", tests: WALK },
  { breaks: "anybody lists anybody's QueuedJobs by userId", file: "src/graphql/queued-job/queued-job.resolver.ts", find: 'if (user.role !== "ADMIN" && (allUsers || wanted !== user.id)) throw', replace: "if (false) throw", tests: WALK },
  { core: true, breaks: "a photo of another's may be submitted", file: "src/services/queued-jobs/enqueue.ts", find: "where user_id = ${userId} and id = any(${ids})", replace: "where ${userId} <> '' and id = any(${ids})", tests: WALK },
  { core: true, breaks: "an idempotency key is everybody's", file: "src/services/queued-jobs/enqueue.ts", find: "where t.user_id = ${userId} and t.idempotency_key", replace: "where ${userId} <> '' and t.idempotency_key", tests: WALK },
  { breaks: "a page cursor of another's is taken", file: "src/cursors.ts", find: "!bytes.subarray(1, 7).equals(userTag(userId)) || ", replace: "", tests: [...WALK, "cursors.test"] },
  { breaks: "a stream cursor of another's is taken", file: "src/cursors.ts", find: " || !bytes.subarray(17).equals(userTag(userId))", replace: "", tests: [...WALK, "cursors.test"] },
  { breaks: "a cursor of another list is taken", file: "src/cursors.ts", find: "bytes[0] !== kind || ", replace: "", tests: ["cursors.test", "security/tenancy.test"] },
  { core: true, breaks: "events of everybody are read as one's own", file: "src/services/event-log.ts", find: "where e.user_id = s.user_id and e.seq", replace: "where e.seq", tests: ["services/event-log.test"] },
  { core: true, breaks: "another's job can be listened to", file: "src/services/event-log.ts", find: "where t.id = ${queuedJobId} and t.user_id = ${userId}`", replace: "where t.id = ${queuedJobId} and ${userId} <> ''`", tests: WALK },
  { core: true, breaks: "bulk calls act on everybody's", file: "src/services/queued-jobs/filter.ts", find: "where t.user_id = ${query.userId} and t.status", replace: "where ${query.userId} <> '' and t.status", tests: WALK },
  { breaks: "a photo of another's may be deleted", file: "src/services/photos.ts", find: 'const photo = await find({ id: userId, role: "USER" }, id);', replace: 'const photo = await find({ id: userId, role: "ADMIN" }, id);', tests: WALK },
  { breaks: "limits of another are told by a path that leads there", file: "src/graphql/user/user.resolver.ts", find: 'if (root.id !== viewer.id && viewer.role !== "ADMIN") throw', replace: "if (false) throw", tests: ["graphql/user/user.resolver.test"] },
  ...[
    ["a query by an id", '@Query(() => PhotoType, { nullable: true, description: "x" })\n  photoOf(@Arg("id", () => ID, { description: "x" }) id: string, @Ctx() { user, photos }: Context): Promise<Photo | null> {\n    return photos.find(user, parseId(id));\n  }'],
    ["a query by a text that names a row", '@Query(() => PhotoType, { nullable: true, description: "x" })\n  photoOf(@Arg("photoId", () => String, { description: "x" }) id: string, @Ctx() { user, photos }: Context): Promise<Photo | null> {\n    return photos.find(user, parseId(id));\n  }'],
    ["a mutation", '@Mutation(() => Boolean, { description: "x" })\n  deletePhotos(): boolean {\n    return true;\n  }'],
    ["a list", '@Query(() => [PhotoType], { description: "x" })\n  latestPhotos(): Photo[] {\n    return [];\n  }'],
    ["a path from one object to another", '@FieldResolver(() => PhotoType, { nullable: true, description: "x" })\n  original(): Photo | null {\n    return null;\n  }'],
    ["a URL", '@FieldResolver(() => String, { nullable: true, description: "x" })\n  originalUrl(): string | null {\n    return null;\n  }'],
  ].map(([what, code]): Mutant => ({ breaks: `${what} is new, and nobody has said what a stranger gets`, file: "src/graphql/photo/photo.resolver.ts", find: FIRST_FIELD, replace: `${code}\n\n  ${FIRST_FIELD}`, tests: WALK })),
];
