// Every operation that the package sends.

/** A page of QueuedJobs shows up to 10,000 photos, so it has no more than these. */
const JOB_PHOTO =
  "id filename mimeType width height byteSize sha256 createdAt url previewUrl urlExpiresAt " +
  "thumbhash";
const PHOTO =
  `${JOB_PHOTO} takenAt takenAtOffset location{latitude longitude altitude}camera lens damaged ` +
  "madeBy";
/** Fields that events carry. Photos and parameters do not change, and come with the row. */
export const STATE =
  "id version status progress progressMessage attempts priority runAt createdAt updatedAt " +
  "startedAt finishedAt expiresAt result job{name title}error{code message}" +
  "outputs{name mimeType byteSize width height url urlExpiresAt}";
export const ROW = `${STATE}parameters photos{${JOB_PHOTO}}`;
export const PAGE_INFO = "pageInfo{hasNextPage endCursor}";

export const EVENTS =
  "subscription($queuedJobId:ID,$after:String){queuedJobEvents(queuedJobId:$queuedJobId,after:" +
  `$after){cursor type at queuedJob{${STATE}}}}`;
export const PHOTO_EVENTS = `subscription($after:String){photoEvents(after:$after){cursor type photo{${PHOTO}}}}`;

const mutation = (field: string, selection = "") =>
  `mutation($id:ID!){row:${field}(id:$id)${selection}}`;
export const ENQUEUE = `mutation($input:EnqueueJobInput!){row:enqueueJob(input:$input){${ROW}}}`;
export const CANCEL = mutation("cancelQueuedJob", `{${ROW}}`);
export const RETRY = mutation("retryQueuedJob", `{${ROW}}`);
export const DELETE = mutation("deleteQueuedJob");
export const DELETE_PHOTO = mutation("deletePhoto");

export const JOBS =
  "query($first:Int,$after:String,$filter:QueuedJobFilter){page:queuedJobs(first:$first,after:" +
  `$after,filter:$filter){nodes{${ROW}}${PAGE_INFO} eventCursor}}`;
export const PHOTOS =
  "query($first:Int,$after:String,$filter:PhotoFilter,$orderBy:PhotoOrder){page:photos(first:" +
  `$first,after:$after,filter:$filter,orderBy:$orderBy){nodes{${PHOTO}}${PAGE_INFO} eventCursor}}`;

export const PICTURES =
  "query($first:Int,$after:String,$maxWidth:Int){page:photos(first:$first,after:$after){" +
  `nodes{${PHOTO} avif:srcset(format:AVIF,maxWidth:$maxWidth)webp:srcset(maxWidth:$maxWidth)` +
  `jpeg:image(width:640,format:JPEG)}${PAGE_INFO}}}`;
const KEPT = `row:keepOutput(queuedJobId:$id,name:$name){${PHOTO}}`;
export const KEEP_OUTPUT = `mutation($id:ID!,$name:String!){${KEPT}}`;

/** Reads several rows in one request, under the aliases `r0`, `r1`, … */
export function rowsQuery(count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const variables = numbers.map((i) => `$i${i}:ID!`);
  const fields = numbers.map((i) => `r${i}:queuedJob(id:$i${i}){...row}`);
  return `query(${variables.join()}){${fields.join()}}fragment row on QueuedJob{${ROW}}`;
}
