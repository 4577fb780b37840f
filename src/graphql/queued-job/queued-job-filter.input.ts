import { Field, InputType } from "type-graphql";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type { QueuedJobFilter } from "../../services/queued-jobs/statements.js";
import { QueuedJobStatusEnum } from "./queued-job.type.js";

@InputType("QueuedJobFilter", {
  description: "Conditions on QueuedJobs. An omitted condition matches all.",
})
export class QueuedJobFilterInput {
  @Field(() => [QueuedJobStatusEnum], { nullable: true, description: "States to include." })
  status?: QueuedJobStatus[] | null;

  @Field(() => [String], { nullable: true, description: "Names of the Jobs to include." })
  job?: string[] | null;
}

export function toFilter(input: QueuedJobFilterInput | null | undefined): QueuedJobFilter {
  return { statuses: input?.status ?? null, jobs: input?.job ?? null };
}

export const FILTER_OPTIONS = {
  nullable: true,
  description: "Conditions on the QueuedJobs. Default: all.",
} as const;
