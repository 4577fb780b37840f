import type { JobName } from "../generated/jobs.js";
import { partsFor } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import { idOf, randomKey, type Reference } from "../queued-jobs.js";
import { ONCE, type RequestOptions } from "../transport/requests.js";
import { changesOf } from "./changes.js";
import { CANCEL_GROUP, DELETE_GROUP, ENQUEUE_GROUP, RETRY_GROUP } from "./operations.js";
import type { GroupJob, JobGroup, JobsByKey } from "./types.js";

export interface RunGroupOptions extends RequestOptions {
  name?: string | undefined;
  /** By default each call makes a key, so that its repetitions submit nothing twice. */
  idempotencyKey?: string | undefined;
}

/**
 * Submits 1 to 500 jobs by key: all are accepted or none. Keys in `photosFrom` and `after` are those
 * of `jobs`. It is stored when this resolves, and safe to repeat if an answer is lost.
 */
export async function runGroup<const Keys extends JobsByKey>(
  service: PhotoService,
  jobs: { readonly [Key in keyof Keys]: GroupJob<Keys[Key], keyof Keys & string> },
  { name, idempotencyKey = randomKey(), ...request }: RunGroupOptions = {},
): Promise<JobGroup<Keys>> {
  const inputs = Object.entries(jobs as Record<string, GroupJob>).map(toInput);
  const input = { name, idempotencyKey, jobs: inputs };
  return mutate<Keys>(service, ENQUEUE_GROUP, { input }, request);
}

function toInput([key, { photos = [], photosFrom = [], ...job }]: [string, GroupJob<JobName>]) {
  const sources = photosFrom.map((from) => (typeof from === "string" ? { key: from } : from));
  return { key, ...job, photoIds: photos.map(idOf), photosFrom: sources };
}

/** Cancels what is unfinished; a finished group stays as it is. */
export function cancelGroup<Keys extends JobsByKey>(
  service: PhotoService,
  group: JobGroup<Keys> | string,
  options?: RequestOptions,
): Promise<JobGroup<Keys>> {
  return mutate<Keys>(service, CANCEL_GROUP, { id: idOf(group) }, options);
}

/** Runs again what FAILED or was CANCELLED. ConflictError for a RUNNING or SUCCESS group. */
export async function retryGroup<Keys extends JobsByKey>(
  service: PhotoService,
  group: JobGroup<Keys> | string,
  options?: RequestOptions,
): Promise<JobGroup<Keys>> {
  const variables = { id: idOf(group) };
  const retried = await mutate<Keys>(service, RETRY_GROUP, variables, { ...ONCE, ...options });
  changesOf(service).emit(retried.id);
  return retried;
}

/** Deletes a finished group with its jobs and their files. */
export async function deleteGroup(
  service: PhotoService,
  group: Reference,
  options?: RequestOptions,
): Promise<void> {
  await mutate(service, DELETE_GROUP, { id: idOf(group) }, { ...ONCE, ...options });
}

async function mutate<Keys extends JobsByKey>(
  service: PhotoService,
  document: string,
  variables: object,
  options?: RequestOptions,
): Promise<JobGroup<Keys>> {
  const { query } = partsFor(service);
  return (await query<{ group: JobGroup<Keys> }>(document, variables, options)).group;
}
