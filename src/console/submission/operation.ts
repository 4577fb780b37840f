import { ENQUEUE_MANY, ENQUEUE_ONE } from "../operations.js";
import type { Job } from "../types.js";
import { readField, readNumber, type ParameterField } from "./parameter-field.js";

export interface Operation {
  query: string;
  variables: object;
}

/** The service takes at most this many at once. */
const MAX_AT_ONCE = 100;

/** What submits one QueuedJob for each group of photos. */
export function buildOperation(form: {
  job: Job;
  fields: readonly ParameterField[];
  texts: Readonly<Record<string, string>>;
  photoIds: readonly string[];
  priority: string;
  runAt: string;
  fresh: boolean;
  key: string;
}): Operation {
  const { job, fields, texts, photoIds, priority, runAt, fresh, key } = form;
  const groups = photoGroups(job, photoIds);
  const inputs = groups.map((ids, i) => ({
    job: job.name,
    ...withoutEmpty({ parameters: readAll(fields, texts), photoIds: ids }),
    ...(priority && { priority: readNumber(priority) }),
    ...(runAt && { runAt: new Date(runAt).toISOString() }),
    ...(fresh && { fresh: true }),
    idempotencyKey: groups.length === 1 ? key : `${key}-${i}`,
  }));
  return toOperation(inputs);
}

/** How many QueuedJobs the operation makes; 0 when photos are missing. */
export function countSubmitted(job: Job, photoIds: readonly string[]): number {
  return photoIds.length < job.minPhotos ? 0 : photoGroups(job, photoIds).length;
}

/** The photos of each QueuedJob: one photo each, all in one, or none. */
function photoGroups({ maxPhotos }: Job, ids: readonly string[]): (readonly string[])[] {
  if (maxPhotos === 0 || ids.length === 0) return [[]];
  return maxPhotos > 1 ? [ids.slice(0, maxPhotos)] : ids.slice(0, MAX_AT_ONCE).map((id) => [id]);
}

function readAll(
  fields: readonly ParameterField[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  return Object.fromEntries(
    fields
      .map((field) => [field.name, readField(field, texts[field.name])] as const)
      .filter(([, value]) => value !== undefined),
  );
}

function withoutEmpty(input: { parameters: object; photoIds: readonly string[] }): object {
  return {
    ...(Object.keys(input.parameters).length > 0 && { parameters: input.parameters }),
    ...(input.photoIds.length > 0 && { photoIds: input.photoIds }),
  };
}

function toOperation(inputs: object[]): Operation {
  return inputs.length === 1
    ? { query: ENQUEUE_ONE, variables: { input: inputs[0] } }
    : { query: ENQUEUE_MANY, variables: { inputs } };
}
