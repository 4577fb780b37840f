import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { v7 as uuidv7 } from "uuid";
import {
  isAboutPhoto,
  InvalidInputError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
} from "../../domain/errors.js";
import { failpoint } from "../../runtime/failpoint.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import type { PhotoHeader } from "../../imaging/formats/photo-header.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { PREVIEW_ATTEMPTS, reportNotMade } from "./preview-maker.js";
import { signedHash, storageKeysOf, type NewPhoto, type Photo, type Photos } from "./photos.js";
import { UploadsUnderWay, type UploadUnderWay } from "./uploads-under-way.js";
import type { User, Users } from "../users/users.js";

/** Receives the bytes of the one file of an upload as a stream. */
export type Receive = (bytes: Readable, filename: string) => Promise<void>;

export interface PhotoIntake {
  /**
   * Stores an upload. The same bytes from the same user return the first Photo. `read` passes the
   * file on and resolves at the end of the upload. A failed upload leaves nothing behind.
   * Throws InvalidInputError (no file, an empty file, a second file), PhotoTooLargeError and
   * PhotoUnreadableError. Throws QuotaExceededError, also for too many concurrent uploads. Throws
   * ServiceUnavailableError, also when too many uploads wait for their check. Rethrows the errors
   * of `read`.
   */
  take(user: User, read: (receive: Receive) => Promise<void>, log: Logger): Promise<Taken>;
}

interface Taken {
  photo: Photo;
  created: boolean;
}

/** One upload and the path of its temporary file. */
interface Delivery {
  path: string;
  read: (receive: Receive) => Promise<void>;
  log: Logger;
}

/** A temporary file that is complete but not stored yet. */
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
  /**
   * Maximum time for the wait and the check of the header together. Then the upload is refused,
   * because a Photo needs a header.
   */
  headerMs?: number;
}

const HEADER_MS = 5000;
/** Maximum time that an upload waits for its preview; after that, the worker makes it. */
const PREVIEW_MS = 5000;

export function createPhotoIntake(deps: PhotoIntakeDeps): PhotoIntake {
  const { photos, users, storage, inspector } = deps;
  const uploads = new UploadsUnderWay(deps);

  async function takeOne(
    user: User,
    upload: UploadUnderWay,
    { path, read, log }: Delivery,
  ): Promise<Taken> {
    const { storedBytes } = await users.counters(user.id);
    upload.checkStorage(storedBytes);
    const received = await receiveOne(path, read, deps.maxUploadBytes, (count) => {
      upload.checkStorage(storedBytes);
      upload.add(count);
    });
    const twin = await photos.findBySha256(user.id, received.sha256);
    if (twin) return { photo: twin, created: false };
    const signal = AbortSignal.timeout(deps.headerMs ?? HEADER_MS);
    const header = await upload.inTurn(() => readHeader(inspector, path, signal));
    const { preview, previewAttempts } = await makePreview(inspector, path, log);
    const id = uuidv7();
    const storageKey = `photos/${user.id}/${id}`;
    const previewKey = preview ? `previews/${user.id}/${id}` : null;
    const { thumbhash, phash } = preview ?? { thumbhash: null, phash: null };
    const row = {
      id,
      userId: user.id,
      ...received,
      ...sizeOf(header),
      storageKey,
      previewKey,
      thumbhash,
      phash,
      previewAttempts,
    };
    return store(deps, row, { path, previewPath: preview?.path ?? null, log });
  }

  return {
    async take(user, read, log) {
      const upload = uploads.begin(user.id);
      const path = join(storage.scratchFolder, randomUUID());
      try {
        return await takeOne(user, upload, { path, read, log });
      } finally {
        await Promise.all([path, `${path}.preview`].map((file) => rm(file, { force: true })));
        upload.end();
      }
    },
  };
}

async function receiveOne(
  path: string,
  read: Delivery["read"],
  maxBytes: number,
  onBytes: (count: number) => void,
): Promise<Received> {
  let received: Received | null = null;
  await read(async (bytes, filename) => {
    if (received)
      throw InvalidInputError.at(
        ["file"],
        "The upload contains a second file; upload one file per request.",
      );
    received = { filename, ...(await write(bytes, path, { maxBytes, onBytes })) };
  });
  if (!received)
    throw InvalidInputError.at(["file"], "The upload contains no file; send exactly one file.");
  return received;
}

async function readHeader(
  inspector: PhotoInspector,
  path: string,
  signal: AbortSignal,
): Promise<PhotoHeader> {
  try {
    return await inspector.probe(path, { signal });
  } catch (error) {
    if (!(error instanceof ChildStoppedError) || error.reason === "closed") throw error;
    // The time passed while other uploads were checked, so the photo is not at fault.
    if (error.reason === "aborted")
      throw new ServiceUnavailableError(
        "Too many uploads are being checked; try again in a moment.",
        { cause: error },
      );
    throw new PhotoUnreadableError(
      "The header of this file cannot be read: the reader stopped at it. Upload the " +
        "original file again.",
      { cause: error },
    );
  }
}

/**
 * Returns a null preview when none can be made now. A photo with a broken image is accepted all the
 * same, and its jobs report the fault.
 */
async function makePreview(
  inspector: PhotoInspector,
  path: string,
  log: Logger,
): Promise<{
  preview: { path: string; thumbhash: string; phash: bigint | null } | null;
  previewAttempts: number;
}> {
  const target = `${path}.preview`;
  try {
    const { thumbhash, phash } = await inspector.preview(path, target, {
      signal: AbortSignal.timeout(PREVIEW_MS),
    });
    return { preview: { path: target, thumbhash, phash: signedHash(phash) }, previewAttempts: 0 };
  } catch (error) {
    reportNotMade(log, error, {});
    return { preview: null, previewAttempts: isAboutPhoto(error) ? PREVIEW_ATTEMPTS : 0 };
  }
}

/** Stores the bytes before the row, so that a crash in between leaves only bytes without a row. */
async function store(
  { photos, storage }: PhotoIntakeDeps,
  photo: NewPhoto,
  { path, previewPath, log }: { path: string; previewPath: string | null; log: Logger },
): Promise<Taken> {
  const discard = () =>
    storage
      .delete(storageKeysOf(photo))
      .catch((error) =>
        log.warn(
          { err: error, photoId: photo.id },
          "files of a refused upload were not deleted; the file sweep removes them",
        ),
      );
  let recording = false;
  try {
    await storage.put(photo.storageKey, path);
    if (previewPath !== null && photo.previewKey !== null)
      await storage.put(photo.previewKey, previewPath);
    await failpoint("upload: before the row");
    for (let tries = 0; tries < 2; tries++) {
      recording = true;
      const added = await photos.add(photo);
      if (added) return { photo: added, created: true };
      recording = false;
      const twin = await photos.findBySha256(photo.userId, photo.sha256);
      if (twin) {
        await discard();
        return { photo: twin, created: false };
      }
      // The twin was deleted in between, so the loop tries again with the same bytes.
    }
    throw new ServiceUnavailableError(
      "The same bytes are being uploaded and deleted at the same time; try again.",
    );
  } catch (error) {
    // When only the answer was lost, the row may exist, and then its bytes must stay.
    if (!recording || !(error instanceof ServiceUnavailableError)) await discard();
    throw error;
  }
}

/** Streams the bytes to the disk and hashes them; the whole file is never in memory. */
async function write(
  bytes: Readable,
  path: string,
  { maxBytes, onBytes }: { maxBytes: number; onBytes: (count: number) => void },
): Promise<{ sha256: string; byteSize: number }> {
  const hash = createHash("sha256");
  let byteSize = 0;
  let fault: ServiceUnavailableError | null = null;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteSize += chunk.length;
      hash.update(chunk);
      try {
        if (byteSize > maxBytes)
          throw new PhotoTooLargeError(
            `The file is longer than ${maxBytes} bytes. Scale it down and upload it again.`,
          );
        onBytes(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  const file = createWriteStream(path, { mode: 0o600 });
  // A disk fault is our fault; an aborted or oversized upload is the client's. Beware: Node 24
  // passes both to this listener.
  file.on("error", (cause) => {
    if (isOfDisk(cause))
      fault = new ServiceUnavailableError(
        "The storage accepts no files at the moment; try again later.",
        { cause },
      );
  });
  await pipeline(bytes, measure, file).catch(async (error: unknown) => {
    // Waits for the close, because a file that is still opening would appear after its removal.
    if (!file.closed) await once(file, "close");
    throw fault ?? error;
  });
  if (byteSize === 0) throw InvalidInputError.at(["file"], "The file is empty.");
  return { sha256: hash.digest("hex"), byteSize };
}

function isOfDisk({ syscall = "" }: NodeJS.ErrnoException): boolean {
  return ["open", "write", "close"].includes(syscall);
}

function sizeOf({ mimeType, width, height }: PhotoHeader): {
  mimeType: string;
  width: number;
  height: number;
} {
  return { mimeType, width, height };
}
