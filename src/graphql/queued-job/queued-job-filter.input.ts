import { Field, InputType } from "type-graphql";
import type { QueuedJobStatus } from "../../domain/queued-job-status.js";
import type { QueuedJobFilter } from "../../services/queued-jobs/statements.js";
import { QueuedJobStatusEnum } from "./queued-job.type.js";

@InputType("QueuedJobFilter", { description: "Which QueuedJobs; what is left out takes all." })
export class QueuedJobFilterInput {
  @Field(() => [QueuedJobStatusEnum], { nullable: true, description: "In one of these states." })
  status?: QueuedJobStatus[] | null;

  @Field(() => [String], { nullable: true, description: "Of one of these Jobs, by name." })
  job?: string[] | null;
}

export function toFilter(input: QueuedJobFilterInput | null | undefined): QueuedJobFilter {
  return { statuses: input?.status ?? null, jobs: input?.job ?? null };
}

/** Of an argument that chooses among QueuedJobs. */
export const FILTER_OPTIONS = {
  nullable: true,
  description: "Which ones; all without it.",
} as const;
