import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
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
import type { QueuedJobs } from "../../services/queued-jobs/queued-jobs.js";
import type { Task, TaskOutput, TaskPhoto } from "../../tasks/define-task.js";
import type { ProgressReporter } from "../progress-reporter.js";
import type { TaskChildRequest, TaskChildResponse } from "./task-child-request.js";
import { measureOutputs, parseTaskChildResponse } from "./task-child-response.js";
import { checkDiskSpace, PhotoFiles } from "./photo-files.js";

/** A photo of an attempt: the owner's own, or a picture that a predecessor made. */
type InputPhoto = Omit<TaskPhoto, "path" | "createdAt" | "phash"> &
  Pick<Photo, "createdAt" | "phash" | "storageKey">;

export interface RunInChildDeps {
  photos: Photos;
  queuedJobs: Pick<QueuedJobs, "handedPictures">;
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
  const { attempt, queuedJob } = claimed;
  const folder = join(deps.storage.scratchFolder, `${queuedJob.id}.${attempt}`);
  let files: PhotoFiles<InputPhoto> | null = null;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const rows = await findPhotos(deps, task, claimed);
    if (task.copiesPhotos) {
      await checkRoom(deps, claimed, rows, folder);
      files = new PhotoFiles(rows, (photo, into) => fetchPhoto(deps, photo, into), folder);
    }
    const photos = files
      ? rows.map((row) => toTaskPhoto(row, ""))
      : await fetchAll(deps, rows, folder);
    const onProgress: typeof progress = (fraction, message) => {
      if (fraction >= NEARLY_WORKED) deps.onWorked?.();
      progress(fraction, message);
    };
    const options = {
      signal,
      timeoutMs: task.timeoutMs,
      onProgress,
      onAsk: createTaskAnswers(deps, { userId: queuedJob.userId, photos, files }),
      parse: parseTaskChildResponse,
      log: deps.log,
    };
    const request = toRequest(deps, task, claimed, { photos, folder });
    const response = (await deps.pool.run(request, options)) as TaskChildResponse;
    deps.onWorked?.();
    const result = task.result.parse(response.result);
    const measured = await measureOutputs(folder, response.outputs);
    const outputs = await storeOutputs(deps.storage, claimed, {
      folder,
      outputs: measured,
      signal,
    });
    await failpoint("work: after the outputs are stored");
    return { result, outputs, reusedFrom: null };
  } catch (error) {
    // The child has only a copy of this error, without its class.
    throw files?.fault ?? error;
  } finally {
    await files?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function toRequest(
  { maxPhotoPixels: maxPixels }: RunInChildDeps,
  { name, folder: taskFolder, parameters }: Task,
  { attempt, failures, queuedJob }: Claimed,
  input: Pick<TaskChildRequest, "photos" | "folder">,
): TaskChildRequest {
  const request = {
    task: name,
    ...(taskFolder !== undefined && { taskFolder }),
    parameters: parameters.parse(queuedJob.parameters),
  };
  return { ...request, ...input, attempt, failures, maxPixels };
}

/** Throws before anything is copied, because the copies take time, disk space and storage. */
async function checkRoom(
  { photos }: RunInChildDeps,
  { queuedJob }: Claimed,
  rows: InputPhoto[],
  folder: string,
): Promise<void> {
  const bytes = rows.reduce((sum, { byteSize }) => sum + byteSize, 0);
  await photos.checkRoom(queuedJob.userId, bytes);
  await checkDiskSpace(folder, bytes);
}

async function findPhotos(
  { photos, queuedJobs, acceptHeic }: RunInChildDeps,
  { copiesPhotos = false, minPhotos, maxPhotos }: Task,
  { queuedJob }: Claimed,
): Promise<InputPhoto[]> {
  const rows = await photos.ofQueuedJob(queuedJob.id);
  if (rows.length < queuedJob.photoCount)
    throw new PermanentTaskError(
      "PHOTO_UNREADABLE",
      "A photo of this QueuedJob was deleted: upload it again and submit a new QueuedJob.",
    );
  // The photo was uploaded before HEIC was disabled. A copy of it decodes nothing.
  if (
    !acceptHeic &&
    !copiesPhotos &&
    rows.some(({ mimeType }) => mimeType === PHOTO_FORMATS.heic.mimeType)
  )
    throw new PermanentTaskError("PHOTO_UNREADABLE", HEIC_NOT_ACCEPTED);
  if (!queuedJob.member?.takesPhotos) return rows;
  const handed = await queuedJobs.handedPictures(queuedJob.id);
  const all = [...rows, ...handed.map((picture) => ({ ...picture, sha256: "", phash: null }))];
  if (all.length < minPhotos || all.length > maxPhotos)
    throw new PermanentTaskError(
      "PREDECESSOR_FAILED",
      `The predecessors of this QueuedJob made ${handed.length} of its photos: it has ` +
        `${all.length}, but takes ${minPhotos} to ${maxPhotos}.`,
    );
  return all;
}

function fetchAll(deps: RunInChildDeps, rows: InputPhoto[], folder: string): Promise<TaskPhoto[]> {
  return inBatches(rows, CONCURRENT_PHOTOS, async (photo) => {
    const path = await fetchPhoto(deps, photo, folder);
    // Only photos have a recorded hash.
    const sha256 = photo.sha256 === "" ? await hashFile(path) : photo.sha256;
    return toTaskPhoto({ ...photo, sha256 }, path);
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function fetchPhoto(
  { storage }: RunInChildDeps,
  { storageKey }: InputPhoto,
  folder: string,
): Promise<string> {
  const path = await storage.localPath(storageKey, folder);
  if (path === null)
    throw new PermanentTaskError(
      "PHOTO_UNREADABLE",
      "The bytes of a photo are missing in the storage: delete the photo and upload it again.",
    );
  return path;
}

function toTaskPhoto(
  { id, filename, mimeType, width, height, byteSize, sha256, phash, createdAt }: InputPhoto,
  path: string,
): TaskPhoto {
  const file = { path, filename, mimeType, width, height, byteSize, sha256 };
  return { id, ...file, phash: hashText(phash), createdAt: createdAt.toISOString() };
}

async function storeOutputs(
  storage: Storage,
  { queuedJob }: Claimed,
  { folder, outputs, signal }: { folder: string; outputs: TaskOutput[]; signal: AbortSignal },
): Promise<StoredOutput[]> {
  const stored = outputs.map((output) => ({
    ...output,
    storageKey: outputKey(queuedJob, output.name),
  }));
  await inBatches(stored, CONCURRENT_OUTPUTS, ({ name, storageKey }) =>
    storage.put(storageKey, join(folder, name), signal),
  );
  return stored;
}

const findNearPhotos = z.strictObject({
  phash: z.string().regex(/^[0-9a-f]{16}$/),
  maxDistance: z.int().min(0).max(64),
});
const fetchPhotoArgument = z.strictObject({ index: z.int().min(0) });

type Answer = (argument: unknown) => Promise<unknown>;

/**
 * Answers the calls of a task in a child, only for photos of the attempt's owner. Arguments are
 * validated, and one call is answered at a time, because a child decodes untrusted bytes. `files`
 * is null unless the task copies photos.
 */
export function createTaskAnswers(
  { nearPhotos }: { nearPhotos: NearPhotos },
  attempt: {
    userId: string;
    photos: readonly Pick<TaskPhoto, "id">[];
    files: Pick<PhotoFiles<InputPhoto>, "open"> | null;
  },
): (name: string, argument: unknown) => Promise<unknown> {
  const { userId, photos, files } = attempt;
  const exceptIds = photos.map(({ id }) => id);
  const answers = new Map<string, Answer>([
    [
      "findNearPhotos",
      (argument) => nearPhotos.find({ ...findNearPhotos.parse(argument), userId, exceptIds }),
    ],
  ]);
  if (files)
    answers.set("fetchPhoto", (argument) => files.open(fetchPhotoArgument.parse(argument).index));
  let busy = false;
  return async (name, argument) => {
    const answer = answers.get(name);
    if (!answer)
      throw new Error(
        `A task may not call "${name}": it may only call ${[...answers.keys()].join(", ")}.`,
      );
    if (busy)
      throw new Error(
        "A task may make one call at a time: wait for the answer of the previous one.",
      );
    busy = true;
    try {
      return await answer(argument);
    } finally {
      busy = false;
    }
  };
}
