import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { v7 as uuidv7 } from "uuid";
import { isAboutPhoto, InvalidInputError, PhotoTooLargeError, PhotoUnreadableError, ServiceUnavailableError } from "../errors.js";
import { failpoint } from "../failpoint.js";
import { ChildStoppedError } from "../imaging/child-stopped-error.js";
import type { PhotoHeader } from "../imaging/photo-header.js";
import type { PhotoInspector } from "../imaging/photo-inspector.js";
import type { Logger } from "../logger.js";
import type { Storage } from "../photos/storage.js";
import { PREVIEW_ATTEMPTS } from "./preview-maker.js";
import { storageKeysOf } from "./photos.js";
import type { NewPhoto, Photo, Photos } from "./photos.js";
import { quotaExceeded } from "./quota-exceeded.js";
import { signedHash } from "./signed-hash.js";
import type { User, Users } from "./users.js";

/** Takes the bytes of the one file of an upload, as they stream in. */
export type Receive = (bytes: Readable, filename: string) => Promise<void>;

export interface PhotoIntake {
  /**
   * Stores an upload; the same bytes by the same user give the first Photo. `read` hands the file over and resolves when
   * the upload has come to its end. Nothing is left of one that fails. Throws InvalidInputError (none, empty, a second
   * file), PhotoTooLargeError, PhotoUnreadableError, QuotaExceededError, and what `read` throws.
   */
  take(user: User, read: (receive: Receive) => Promise<void>, log: Logger): Promise<{ photo: Photo; created: boolean }>;
}

/** A file on the disk, not kept yet. */
interface Received {
  filename: string;
  sha256: string;
  byteSize: number;
}

export interface PhotoIntakeDeps {
  photos: Photos;
  users: Users;
  storage: Storage;
  inspector: PhotoInspector;
  maxUploadBytes: number;
  maxStoredBytes: number;
}

/** How long an upload's answer waits for the preview; the worker makes it later then. */
const PREVIEW_MS = 5000;

export function createPhotoIntake(deps: PhotoIntakeDeps): PhotoIntake {
  const { photos, storage, inspector } = deps;

  async function keep(user: User, path: string, facts: Received, log: Logger): Promise<{ photo: Photo; created: boolean }> {
    const known = await photos.findBySha256(user.id, facts.sha256);
    if (known) return { photo: known, created: false };
    const header = await probe(path);
    const { preview, previewAttempts } = await makePreview(path, log);
    const id = uuidv7();
    const storageKey = `photos/${user.id}/${id}`;
    const previewKey = preview ? `previews/${user.id}/${id}` : null;
    const row = { id, userId: user.id, ...facts, ...sizeOf(header), storageKey, previewKey, thumbhash: preview?.thumbhash ?? null, phash: preview?.phash ?? null, previewAttempts };
    const photo = await store(row, path, preview?.path ?? null, log);
    return photo ? { photo, created: true } : { photo: await winner(user, facts.sha256), created: false };
  }

  async function probe(path: string): Promise<PhotoHeader> {
    try {
      return await inspector.probe(path);
    } catch (error) {
      if (!(error instanceof ChildStoppedError) || error.reason === "closed") throw error;
      throw new PhotoUnreadableError("The header of this file cannot be read: the reader stopped at it. Upload the original file again.", { cause: error });
    }
  }

  /** The bytes first, then the row: what a crash leaves in between is bytes that no row names. Null when another upload was first. */
  async function store(photo: NewPhoto, path: string, previewPath: string | null, log: Logger): Promise<Photo | null> {
    const discard = () => storage.delete(storageKeysOf(photo)).catch((error) => log.warn({ err: error, photoId: photo.id }, "the bytes of a refused upload are left over"));
    let recording = false;
    try {
      await storage.put(photo.storageKey, path);
      if (previewPath !== null && photo.previewKey !== null) await storage.put(photo.previewKey, previewPath);
      await failpoint("upload: before the row");
      recording = true;
      const added = await photos.add(photo);
      if (!added) await discard();
      return added;
    } catch (error) {
      // With the answer lost the row may be there: then the bytes must be, too.
      if (!recording || !(error instanceof ServiceUnavailableError)) await discard();
      throw error;
    }
  }

  async function winner(user: User, sha256: string): Promise<Photo> {
    const photo = await photos.findBySha256(user.id, sha256);
    if (!photo) throw new Error("A photo was deleted while the same bytes were uploaded");
    return photo;
  }

  /** Null when there is none yet, or none can be made: a photo whose picture is broken is taken all the same, and its jobs say what is wrong. */
  async function makePreview(path: string, log: Logger): Promise<{ preview: { path: string; thumbhash: string; phash: bigint | null } | null; previewAttempts: number }> {
    const target = `${path}.preview`;
    try {
      const { thumbhash, phash } = await inspector.preview(path, target, { signal: AbortSignal.timeout(PREVIEW_MS) });
      return { preview: { path: target, thumbhash, phash: signedHash(phash) }, previewAttempts: 0 };
    } catch (error) {
      log.warn({ err: error }, "no preview could be made");
      return { preview: null, previewAttempts: isAboutPhoto(error) ? PREVIEW_ATTEMPTS : 0 };
    }
  }

  async function receiveOne(path: string, read: (receive: Receive) => Promise<void>): Promise<Received> {
    let received: Received | null = null;
    await read(async (bytes, filename) => {
      if (received) throw InvalidInputError.at(["file"], "There is a second file: upload one at a time.");
      received = { filename, ...(await write(bytes, path, deps.maxUploadBytes)) };
    });
    if (!received) throw InvalidInputError.at(["file"], "There is no file.");
    return received;
  }

  return {
    async take(user, read, log) {
      const { storedBytes } = await deps.users.counters(user.id);
      if (storedBytes >= deps.maxStoredBytes) throw quotaExceeded.storedBytes(deps.maxStoredBytes);
      const path = join(storage.scratchFolder, randomUUID());
      try {
        return await keep(user, path, await receiveOne(path, read), log);
      } finally {
        await Promise.all([path, `${path}.preview`].map((left) => rm(left, { force: true })));
      }
    },
  };
}

/** Streams to the disk, hashing on the way; the file is never in memory as a whole. */
async function write(bytes: Readable, path: string, maxBytes: number): Promise<{ sha256: string; byteSize: number }> {
  const hash = createHash("sha256");
  let byteSize = 0;
  let fault: ServiceUnavailableError | null = null;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteSize += chunk.length;
      hash.update(chunk);
      done(byteSize > maxBytes ? new PhotoTooLargeError(`The file is longer than ${maxBytes} bytes. Scale it down and upload it again.`) : null, chunk);
    },
  });
  const file = createWriteStream(path, { mode: 0o600 });
  // A disk that is full is ours; a client that went away, or sent too much, is theirs, and Node 24 hands the file that, too.
  file.on("error", (cause) => {
    if (isOfDisk(cause)) fault = new ServiceUnavailableError("The storage takes nothing at the moment; try again later.", { cause });
  });
  await pipeline(bytes, measure, file).catch(async (error: unknown) => {
    // It may still be opening, and would be there after it was removed.
    if (!file.closed) await once(file, "close");
    throw fault ?? error;
  });
  if (byteSize === 0) throw InvalidInputError.at(["file"], "The file is empty.");
  return { sha256: hash.digest("hex"), byteSize };
}

function isOfDisk({ syscall = "" }: NodeJS.ErrnoException): boolean {
  return ["open", "write", "close"].includes(syscall);
}

function sizeOf({ mimeType, width, height }: PhotoHeader): { mimeType: string; width: number; height: number } {
  return { mimeType, width, height };
}
