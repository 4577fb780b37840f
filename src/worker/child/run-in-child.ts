import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PermanentTaskError } from "../../domain/errors.js";
import { failpoint } from "../../runtime/failpoint.js";
import { inBatches } from "../../runtime/concurrency.js";
import type { ChildPool } from "../../child-pool/child-pool.js";
import { PHOTO_FORMATS } from "../../imaging/formats/photo-format.js";
import { HEIC_NOT_ACCEPTED } from "../../imaging/formats/sniff-format.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { type StoredOutput, type TaskSuccess, outputKey } from "../../domain/queued-job.js";
import { hashText, type Photo, type Photos } from "../../services/photos/photos.js";
import type { NearPhotos } from "../../services/reads/near-photos.js";
import type { Claimed } from "../../services/queued-jobs/claim.js";
import type { Task, TaskOutput, TaskPhoto } from "../../tasks/define-task.js";
import type { ProgressReporter } from "../progress-reporter.js";
import type { TaskChildRequest, TaskChildResponse } from "./task-child-request.js";
import { measureOutputs, parseTaskChildResponse } from "./task-child-response.js";

export interface RunInChildDeps {
  photos: Photos;
  nearPhotos: NearPhotos;
  storage: Storage;
  pool: ChildPool;
  maxPhotoPixels: number;
  acceptHeic: boolean;
  log: Logger;
  /**
   * Called when the child is free or nearly free, even if outputs and the outcome are not stored
   * yet.
   */
  onWorked?: () => void;
}

/**
 * Progress at which the next task is claimed and its photos are fetched. Otherwise, its child would
 * wait for that about a tenth of its time.
 */
const NEARLY_WORKED = 0.85;
/** Maximum photos fetched from the storage at once. */
const CONCURRENT_PHOTOS = 4;
/** Maximum outputs stored at once: a disk writes several as fast as one. */
const CONCURRENT_OUTPUTS = 4;

/**
 * Runs a task in a child; the pool enforces its time limit. Resolves when the outputs are stored.
 * Throws what the task throws, or ChildStoppedError.
 */
export async function runInChild(
  deps: RunInChildDeps,
  task: Task,
  claimed: Claimed,
  { signal, progress }: { signal: AbortSignal; progress: ProgressReporter["report"] },
): Promise<TaskSuccess> {
  const { attempt, failures, queuedJob } = claimed;
  const folder = join(deps.storage.scratchFolder, `${queuedJob.id}.${attempt}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const photos = await findPhotos(deps, claimed, folder);
    const request: TaskChildRequest = {
      task: task.name,
      ...(task.folder !== undefined && { taskFolder: task.folder }),
      parameters: task.parameters.parse(queuedJob.parameters),
      photos,
      attempt,
      failures,
      folder,
      maxPixels: deps.maxPhotoPixels,
    };
    const onProgress: typeof progress = (fraction, message) => {
      if (fraction >= NEARLY_WORKED) deps.onWorked?.();
      progress(fraction, message);
    };
    const onAsk = createTaskAnswers(deps, {
      userId: queuedJob.userId,
      photoIds: photos.map(({ id }) => id),
    });
    const options = {
      signal,
      timeoutMs: task.timeoutMs,
      onProgress,
      onAsk,
      parse: parseTaskChildResponse,
      log: deps.log,
    };
    const response = (await deps.pool.run(request, options)) as TaskChildResponse;
    deps.onWorked?.();
    const result = task.result.parse(response.result);
    const measured = await measureOutputs(folder, response.outputs);
    const outputs = await storeOutputs(deps.storage, claimed, folder, measured);
    await failpoint("work: after the outputs are stored");
    return { result, outputs, reusedFrom: null };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findPhotos(
  { photos, storage, acceptHeic }: RunInChildDeps,
  { queuedJob }: Claimed,
  folder: string,
): Promise<TaskPhoto[]> {
  const rows = await photos.ofQueuedJob(queuedJob.id);
  if (rows.length < queuedJob.photoCount)
    throw new PermanentTaskError(
      "PHOTO_UNREADABLE",
      "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob.",
    );
  // The photo was uploaded before HEIC was disabled.
  if (!acceptHeic && rows.some(({ mimeType }) => mimeType === PHOTO_FORMATS.heic.mimeType))
    throw new PermanentTaskError("PHOTO_UNREADABLE", HEIC_NOT_ACCEPTED);
  return inBatches(rows, CONCURRENT_PHOTOS, (photo) => toTaskPhoto(photo, storage, folder));
}

async function toTaskPhoto(
  { id, filename, mimeType, width, height, byteSize, sha256, phash, storageKey }: Photo,
  storage: Storage,
  folder: string,
): Promise<TaskPhoto> {
  const path = await storage.localPath(storageKey, folder);
  if (path === null)
    throw new PermanentTaskError(
      "PHOTO_UNREADABLE",
      "The bytes of a photo are missing in the storage: delete the photo and upload it again.",
    );
  return { id, path, filename, mimeType, width, height, byteSize, sha256, phash: hashText(phash) };
}

async function storeOutputs(
  storage: Storage,
  { queuedJob }: Claimed,
  folder: string,
  outputs: TaskOutput[],
): Promise<StoredOutput[]> {
  const stored = outputs.map((output) => ({
    ...output,
    storageKey: outputKey(queuedJob, output.name),
  }));
  await inBatches(stored, CONCURRENT_OUTPUTS, ({ name, storageKey }) =>
    storage.put(storageKey, join(folder, name)),
  );
  return stored;
}

const findNearPhotos = z.strictObject({
  phash: z.string().regex(/^[0-9a-f]{16}$/),
  maxDistance: z.int().min(0).max(64),
});

/**
 * Answers the calls of a task in a child, only for photos of the attempt's owner. Arguments are
 * validated, and one call is answered at a time, because a child decodes untrusted bytes.
 */
export function createTaskAnswers(
  { nearPhotos }: { nearPhotos: NearPhotos },
  { userId, photoIds }: { userId: string; photoIds: string[] },
): (name: string, argument: unknown) => Promise<unknown> {
  let busy = false;
  return async (name, argument) => {
    if (name !== "findNearPhotos")
      throw new Error(`A task may not call "${name}": it may only call findNearPhotos.`);
    if (busy)
      throw new Error(
        "A task may make one call at a time: wait for the answer of the previous one.",
      );
    busy = true;
    try {
      return await nearPhotos.find({
        ...findNearPhotos.parse(argument),
        userId,
        exceptIds: photoIds,
      });
    } finally {
      busy = false;
    }
  };
}
