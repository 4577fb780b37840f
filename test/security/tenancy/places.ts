type Expected = "null" | [code: string, message: string | RegExp];

const NO_JOB: Expected = ["NOT_FOUND", "There is no such QueuedJob."];
const NO_GROUP: Expected = ["NOT_FOUND", "There is no such JobGroup."];
const NO_CURSOR: Expected = [
  "BAD_USER_INPUT",
  /^(after|before): is not one of your cursors; pass a cursor from an earlier response or event$/,
];
const NO_PHOTO: Expected = [
  "BAD_USER_INPUT",
  /^((jobs\.)?0\.)?photoIds\.0: is not a photo of yours$/,
];
const NOT_YOURS: Expected = ["BAD_USER_INPUT", "filter.similarTo: is not one of your photos"];

/** Expected outcome at each argument, the same for another user's value and for a missing one. */
export const PLACES: Record<string, Expected> = {
  "Query.node(id)": "null",
  "Query.user(id)": "null",
  "Query.photo(id)": "null",
  "Query.queuedJob(id)": "null",
  "Query.jobGroup(id)": "null",
  "Query.jobGroups(after)": NO_CURSOR,
  "Query.jobGroups(before)": NO_CURSOR,
  "JobGroup.queuedJobs(after)": NO_CURSOR,
  "JobGroup.queuedJobs(before)": NO_CURSOR,
  "Mutation.cancelGroup(id)": NO_GROUP,
  "Mutation.retryGroup(id)": NO_GROUP,
  "Mutation.deleteGroup(id)": NO_GROUP,
  "Mutation.enqueueGroup(input.jobs[].photoIds[])": NO_PHOTO,
  "Subscription.queuedJobEvents(groupId)": NO_GROUP,
  "Query.queuedJobs(userId)": ["FORBIDDEN", "Only an admin can list QueuedJobs of other users."],
  "Query.queuedJobs(after)": NO_CURSOR,
  "Query.queuedJobs(before)": NO_CURSOR,
  "Query.photos(after)": NO_CURSOR,
  "Query.photos(before)": NO_CURSOR,
  "Query.photos(filter.similarTo)": NOT_YOURS,
  "Query.photosByDay(filter.similarTo)": NOT_YOURS,
  "Query.jobs(after)": NO_CURSOR,
  "Query.jobs(before)": NO_CURSOR,
  "Query.users(after)": ["FORBIDDEN", "Only an admin may list users."],
  "Query.users(before)": ["FORBIDDEN", "Only an admin may list users."],
  "User.queuedJobs(after)": NO_CURSOR,
  "User.queuedJobs(before)": NO_CURSOR,
  "Photo.queuedJobs(after)": NO_CURSOR,
  "Photo.queuedJobs(before)": NO_CURSOR,
  "Mutation.deletePhoto(id)": ["NOT_FOUND", "There is no such Photo."],
  "Mutation.keepOutput(queuedJobId)": ["NOT_FOUND", "There is no such output."],
  "Mutation.cancelQueuedJob(id)": NO_JOB,
  "Mutation.retryQueuedJob(id)": NO_JOB,
  "Mutation.deleteQueuedJob(id)": NO_JOB,
  "Mutation.enqueueJob(input.photoIds[])": NO_PHOTO,
  "Mutation.enqueueJobs(inputs[].photoIds[])": NO_PHOTO,
  "Subscription.queuedJobEvents(queuedJobId)": NO_JOB,
  "Subscription.queuedJobEvents(after)": NO_CURSOR,
  "Subscription.photoEvents(after)": NO_CURSOR,
};
/** Idempotency keys are separate for each user. */
export const KEYS = [
  "Mutation.enqueueJob(input.idempotencyKey)",
  "Mutation.enqueueJobs(inputs[].idempotencyKey)",
  "Mutation.enqueueGroup(input.idempotencyKey)",
] as const;
/** Keys that only name jobs of the same request. */
export const NAMES = [
  "Mutation.enqueueGroup(input.jobs[].after[])",
  "Mutation.enqueueGroup(input.jobs[].key)",
  "Mutation.enqueueGroup(input.jobs[].photosFrom[].key)",
];
export const BULK = [
  "Mutation.cancelQueuedJobs",
  "Mutation.retryQueuedJobs",
  "Mutation.deleteQueuedJobs",
  "Mutation.deleteMe",
];
/** Paths that only an admin can reach. */
export const ADMIN_ONLY = [
  "Query.users",
  "UserConnection.edges",
  "UserConnection.nodes",
  "UserConnection.pageInfo",
  "UserEdge.node",
];

export const BELOW: Record<string, string> = Object.fromEntries(
  ["after", "before"].flatMap((name) => [
    [
      `User.queuedJobs(${name})`,
      `query ($${name}: String) { me { queuedJobs(${name}: $${name}) { totalCount } } }`,
    ],
    [
      `JobGroup.queuedJobs(${name})`,
      `query ($${name}: String) { jobGroups(first: 1) { nodes { queuedJobs(${name}: $${name}) { ` +
        "totalCount } } } }",
    ],
    [
      `Photo.queuedJobs(${name})`,
      `query ($${name}: String) { photos(first: 1) { nodes { queuedJobs(${name}: $${name}) { ` +
        "totalCount } } } }",
    ],
  ]),
);

/** Other variables that an operation needs in addition to the tested value. */
export function baseOf(place: string): Record<string, unknown> {
  if (place === "Mutation.keepOutput(queuedJobId)") return { name: "16w.webp" };
  if (!/photoIds/.test(place)) return {};
  if (place.includes("enqueueGroup")) return { input: { jobs: [{ key: "a", job: "metadata" }] } };
  return place.includes("inputs")
    ? { inputs: [{ job: "metadata" }] }
    : { input: { job: "metadata" } };
}
