// Every operation of the page. "Show as GraphQL" shows these texts unchanged.

const PHOTO = "id filename mimeType width height byteSize url previewUrl thumbhash";
/** The sizes in which the page shows photos. */
const SIZES = "srcset(maxWidth: 1024)";
const STATE =
  "id status version progress progressMessage attempts priority createdAt updatedAt startedAt " +
  "finishedAt runAt job { name title paused } error { code message }";
const ROW = `${STATE} queuePosition estimatedStartAt photos { ${PHOTO} }`;
const LIMITS =
  "maxUnfinished unfinished maxUploadBytes maxStoredBytes storedBytes maxPhotoPixels paused";

export const WELCOME = `query Welcome {
  me { name email role limits { ${LIMITS} } }
  jobs(first: 100) {
    nodes { name title description parameterSchema minPhotos maxPhotos enabled paused } }
  photos(first: 60) { nodes { ${PHOTO} ${SIZES} } pageInfo { hasNextPage endCursor } totalCount }
}`;

export const LIMITS_NOW = `query Limits {
  me { limits { ${LIMITS} } }
  jobs(first: 100) { nodes { name paused } }
}`;

export const MORE_PHOTOS = `query Photos($after: String) {
  photos(first: 60, after: $after) { nodes { ${PHOTO} ${SIZES} } pageInfo { hasNextPage endCursor }
  totalCount }
}`;

export const QUEUED_JOBS = `query QueuedJobs($first: Int, $after: String,
  $filter: QueuedJobFilter) {
  queuedJobs(first: $first, after: $after, filter: $filter) {
    nodes { ${ROW} }
    pageInfo { hasNextPage endCursor }
    totalCount
    eventCursor
  }
}`;

export const QUEUED_JOB = `query QueuedJob($id: ID!) {
  queuedJob(id: $id) {
    ${ROW}
    photos { ${SIZES} }
    parameters result reusedFrom expiresAt
    outputs { name mimeType byteSize width height url }
    history { cursor type at queuedJob { version attempts error { code message } } }
  }
}`;

export const EVENT_CURSOR = "query EventCursor { queuedJobs(first: 1) { eventCursor } }";

export const EVENTS = `subscription Events($after: String) {
  queuedJobEvents(after: $after) {
    cursor type at
    queuedJob { ${STATE} }
  }
}`;

export const ENQUEUE_ONE = `mutation Enqueue($input: EnqueueJobInput!) {
  enqueueJob(input: $input) { ${ROW} }
}`;

export const ENQUEUE_MANY = `mutation EnqueueMany($inputs: [EnqueueJobInput!]!) {
  enqueueJobs(inputs: $inputs) { ${ROW} }
}`;

export const CANCEL = `mutation Cancel($id: ID!) { cancelQueuedJob(id: $id) { ${ROW} } }`;
export const RETRY = `mutation Retry($id: ID!) { retryQueuedJob(id: $id) { ${ROW} } }`;
export const DELETE = "mutation Delete($id: ID!) { deleteQueuedJob(id: $id) }";
export const KEEP = `mutation Keep($queuedJobId: ID!, $name: String!) {
  keepOutput(queuedJobId: $queuedJobId, name: $name) { ${PHOTO} ${SIZES} }
}`;
export const DELETE_PHOTO = "mutation DeletePhoto($id: ID!) { deletePhoto(id: $id) }";

/** Reads several rows in one request, under the aliases `r0`, `r1`, … */
export function rowsQuery(count: number): string {
  return byId(count, "Rows", "r", `queuedJob`, ROW);
}

/** Like `rowsQuery`, for photos. */
export function photosQuery(count: number): string {
  return byId(count, "PhotosById", "r", "photo", PHOTO);
}

function byId(
  count: number,
  name: string,
  alias: string,
  field: string,
  selection: string,
): string {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const variables = numbers.map((i) => `$i${i}: ID!`).join(", ");
  return `query ${name}(${variables}) {
    ${numbers.map((i) => `${alias}${i}: ${field}(id: $i${i}) { ...wanted }`).join(" ")} }
fragment wanted on ${field === "photo" ? "Photo" : "QueuedJob"} { ${selection} }`;
}
