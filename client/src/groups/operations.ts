import { PAGE_INFO, ROW, STATE } from "../operations.js";

const GROUP =
  "id name status total pending started succeeded failed cancelled progress createdAt finishedAt " +
  "expiresAt";
const MEMBER = "key waitingFor";

export const GROUP_EVENTS =
  "subscription($groupId:ID,$after:String){queuedJobEvents(groupId:$groupId,after:$after){" +
  `cursor type at queuedJob{${STATE} ${MEMBER} group{${GROUP}}}}}`;

export const ENQUEUE_GROUP = `mutation($input:EnqueueGroupInput!){group:enqueueGroup(input:$input){${GROUP}}}`;
const mutation = (field: string, selection = "") =>
  `mutation($id:ID!){group:${field}(id:$id)${selection}}`;
export const CANCEL_GROUP = mutation("cancelGroup", `{${GROUP}}`);
export const RETRY_GROUP = mutation("retryGroup", `{${GROUP}}`);
export const DELETE_GROUP = mutation("deleteGroup");

export const GROUP_ROW = `query($id:ID!){group:jobGroup(id:$id){${GROUP}}}`;
export const GROUP_PAGE =
  "query($id:ID!,$after:String){group:jobGroup(id:$id){page:queuedJobs(first:50,after:$after){" +
  `nodes{${ROW} ${MEMBER}}${PAGE_INFO} eventCursor}}}`;
