// Every operation of the page. "Show as GraphQL" shows these texts unchanged.

/** Fields of a photo among the inputs of a job. */
const INPUT = "id filename mimeType width height byteSize url previewUrl thumbhash damaged";
const PHOTO = `${INPUT} createdAt takenAt takenAtOffset camera lens madeBy
  location { latitude longitude altitude } image(width: 1024)`;
const OUTPUT = "name mimeType byteSize width height url urlExpiresAt";
const GROUP =
  "id name status total pending started succeeded failed cancelled progress createdAt " +
  "finishedAt expiresAt";
const STATE =
  `key waitingFor group { ${GROUP} } ` +
  "id status version progress progressMessage attempts priority createdAt updatedAt startedAt " +
  "finishedAt runAt job { name title paused } error { code message }";
const ROW = `${STATE} queuePosition estimatedStartAt photos { ${INPUT} }`;
const LIMITS =
  "maxUnfinished unfinished maxUploadBytes maxStoredBytes storedBytes maxPhotoPixels paused";

export const WELCOME = `query Welcome {
  me { name email role limits { ${LIMITS} } }
  jobs(first: 100) {
    nodes { name title description parameterSchema minPhotos maxPhotos enabled paused } }
}`;

export const LIMITS_NOW = `query Limits {
  me { limits { ${LIMITS} } }
  jobs(first: 100) { nodes { name paused } }
}`;

export const PHOTOS = `query Photos($first: Int, $after: String, $last: Int, $before: String,
  $filter: PhotoFilter, $orderBy: PhotoOrder) {
  photos(first: $first, after: $after, last: $last, before: $before, filter: $filter,
    orderBy: $orderBy) {
    nodes { ${PHOTO} }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

export const PHOTO_IDS = `query PhotoIds($after: String, $filter: PhotoFilter,
  $orderBy: PhotoOrder) {
  photos(first: 100, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes { id } pageInfo { hasNextPage endCursor } }
}`;

export const PHOTO_DAYS = `query PhotoDays($filter: PhotoFilter) {
  photosByDay(filter: $filter) { day count }
}`;

/** One photo in full, with what was made of it. */
export const PHOTO_DETAILS = `query Photo($id: ID!) {
  photo(id: $id) {
    ${PHOTO} sha256 srcset
    queuedJobs(first: 20) {
      nodes { ${STATE} expiresAt outputs { ${OUTPUT} } }
    }
  }
}`;

export const PHOTO_EVENTS = `subscription PhotoEvents($after: String) {
  photoEvents(after: $after) { cursor type photo { ${PHOTO} } }
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
    photos { srcset(maxWidth: 1920) }
    parameters result reusedFrom expiresAt
    outputs { ${OUTPUT} }
    history { cursor type at queuedJob { version attempts error { code message } } }
  }
}`;

/** The files of a job, with URLs that have not expired. */
export const OUTPUTS = `query Outputs($id: ID!) {
  queuedJob(id: $id) { outputs { ${OUTPUT} } }
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

export const ENQUEUE_GROUP = `mutation EnqueueGroup($input: EnqueueGroupInput!) {
  enqueueGroup(input: $input) { ${GROUP} }
}`;

export const GROUP_JOBS = `query GroupJobs($id: ID!, $after: String) {
  jobGroup(id: $id) {
    ${GROUP}
    queuedJobs(first: 100, after: $after) {
      nodes { ${ROW} }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const CANCEL = `mutation Cancel($id: ID!) { cancelQueuedJob(id: $id) { ${ROW} } }`;
export const RETRY = `mutation Retry($id: ID!) { retryQueuedJob(id: $id) { ${ROW} } }`;
export const DELETE = "mutation Delete($id: ID!) { deleteQueuedJob(id: $id) }";

// The events of the jobs show the effect.
export const CANCEL_GROUP = "mutation CancelGroup($id: ID!) { cancelGroup(id: $id) { id } }";
export const RETRY_GROUP = "mutation RetryGroup($id: ID!) { retryGroup(id: $id) { id } }";
export const DELETE_GROUP = "mutation DeleteGroup($id: ID!) { deleteGroup(id: $id) }";

export const KEEP = `mutation Keep($queuedJobId: ID!, $name: String!) {
  keepOutput(queuedJobId: $queuedJobId, name: $name) { ${PHOTO} }
}`;
export const DELETE_PHOTO = "mutation DeletePhoto($id: ID!) { deletePhoto(id: $id) }";

/** Reads several rows in one request, under the aliases `r0`, `r1`, … */
export function rowsQuery(count: number): string {
  return byId(count, "Rows", "queuedJob", ROW);
}

/** Like `rowsQuery`, for photos. */
export function photosQuery(count: number): string {
  return byId(count, "PhotosById", "photo", PHOTO);
}

const aliases = (count: number, text: (i: number) => string, separator: string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join(separator);

function byId(count: number, name: string, field: string, selection: string): string {
  return `query ${name}(${aliases(count, (i) => `$i${i}: ID!`, ", ")}) {
    ${aliases(count, (i) => `r${i}: ${field}(id: $i${i}) { ...wanted }`, " ")} }
fragment wanted on ${field === "photo" ? "Photo" : "QueuedJob"} { ${selection} }`;
}

/** The number of jobs in each state, for a Job or all. */
export const JOB_COUNTS = `query JobCounts($job: [String!]) {
  ${["PENDING", "STARTED", "SUCCESS", "FAILED", "CANCELLED"]
    .map(
      (status) => `${status}: queuedJobs(first: 1, filter: { status: [${status}], job: $job }) {
    totalCount }`,
    )
    .join("\n  ")}
}`;

// Actions on the jobs that match a filter; each returns how many it changed.
export const CANCEL_ALL = bulk("cancelQueuedJobs");
export const RETRY_ALL = bulk("retryQueuedJobs");
export const DELETE_ALL = bulk("deleteQueuedJobs");

function bulk(field: string): string {
  return `mutation All($filter: QueuedJobFilter) { count: ${field}(filter: $filter) }`;
}
