export { createLiveGroup, type LiveGroupSnapshot } from "./live-group.js";
export { pipeline, type PipelineStep } from "./pipeline.js";
export { cancelGroup, deleteGroup, retryGroup, runGroup } from "./run-group.js";
export type { RunGroupOptions } from "./run-group.js";
export type {
  GroupEvent,
  GroupJob,
  GroupJobs,
  GroupMember,
  JobGroup,
  JobGroupStatus,
  JobsByKey,
} from "./types.js";
export { finishedGroup, watchGroup, type FinishedGroupOptions } from "./watch-group.js";
