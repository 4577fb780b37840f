import { pipeline, type PipelineStep } from "../../../client/src/groups/pipeline.js";
import { plural } from "../in-words.js";
import { ENQUEUE_GROUP, ENQUEUE_ONE } from "../operations.js";
import type { Job } from "../types.js";
import { type ParameterField, readField, readNumber } from "./parameter-field.js";

export interface Operation {
  query: string;
  variables: object;
}

export interface FilledForm {
  job: Job;
  fields: readonly ParameterField[];
  texts: Readonly<Record<string, string>>;
  photoIds: readonly string[];
  priority: string;
  runAt: string;
  fresh: boolean;
  /** Idempotency key. */
  key: string;
}

/** Maximum jobs of a group. */
const MAX_JOBS = 500;

/**
 * Submits one QueuedJob; or, of a Job that takes one photo and of a recipe, a group with the jobs of
 * all photos.
 */
export function buildOperation(form: FilledForm): Operation {
  const { job, key: idempotencyKey } = form;
  const photoIds = form.photoIds.slice(0, maxPhotosOf(job));
  const steps = stepsOf(job, readAll(form)).map((step) => ({ ...step, ...extrasOf(form) }));
  if (!job.steps && countJobs(job, photoIds.length) <= 1) {
    const input = { ...steps[0], ...(photoIds.length > 0 && { photoIds }), idempotencyKey };
    return { query: ENQUEUE_ONE, variables: { input } };
  }
  const name = `${job.title} on ${plural(photoIds.length, "photo")}`;
  const jobs = groupJobs(photoIds, steps);
  return { query: ENQUEUE_GROUP, variables: { input: { name, jobs, idempotencyKey } } };
}

/** Number of QueuedJobs of the operation; 0 if photos are missing. */
export function countJobs(job: Job, photos: number): number {
  const { each, joining } = sizeOf(job);
  if (photos < job.minPhotos) return 0;
  return job.maxPhotos === 1 ? Math.max(1, photos) * each + joining : 1;
}

export function maxPhotosOf(job: Job): number {
  const { each, joining } = sizeOf(job);
  return job.maxPhotos === 1 ? Math.floor((MAX_JOBS - joining) / each) : job.maxPhotos;
}

/** Numbers of jobs that each photo takes, and that take the pictures of all. */
function sizeOf(job: Job): { each: number; joining: number } {
  const steps = stepsOf(job, {});
  const joining = steps.filter(({ joins }) => joins).length;
  return { each: steps.length - joining, joining };
}

function stepsOf({ name, steps }: Job, parameters: object): readonly PipelineStep[] {
  if (steps) return steps(parameters);
  return [{ job: name, ...(Object.keys(parameters).length > 0 && { parameters }) } as PipelineStep];
}

/** The jobs of a group as the API's input type. */
function groupJobs(photoIds: readonly string[], steps: readonly PipelineStep[]): object[] {
  return Object.entries(pipeline(photoIds, steps)).map(
    ([key, { photos = [], photosFrom = [], ...step }]) => ({
      key,
      ...step,
      ...(photos.length > 0 && { photoIds: photos }),
      ...(photosFrom.length > 0 && { photosFrom: photosFrom.map((from) => ({ key: from })) }),
    }),
  );
}

function extrasOf({ priority, runAt, fresh }: FilledForm): object {
  return {
    ...(priority && { priority: readNumber(priority) }),
    ...(runAt && { runAt: new Date(runAt).toISOString() }),
    ...(fresh && { fresh: true }),
  };
}

function readAll({ fields, texts }: FilledForm): Record<string, unknown> {
  return Object.fromEntries(
    fields
      .map((field) => [field.name, readField(field, texts[field.name])] as const)
      .filter(([, value]) => value !== undefined),
  );
}
