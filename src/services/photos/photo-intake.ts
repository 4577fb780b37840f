import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  InvalidInputError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
  storageRefusesFiles,
} from "../../domain/errors.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import type { PhotoProbe } from "../../imaging/inspect/photo-child-request.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { addPhoto, type AddedPhoto } from "./add-photo.js";
import type { Photos } from "./photos.js";
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
  take(user: User, read: (receive: Receive) => Promise<void>, log: Logger): Promise<AddedPhoto>;
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

/** Maximum time for the header, with the wait for a child. */
export const HEADER_MS = 5000;

export function createPhotoIntake(deps: PhotoIntakeDeps): PhotoIntake {
  const { photos, users, storage, inspector } = deps;
  const uploads = new UploadsUnderWay(deps);

  async function takeOne(
    user: User,
    upload: UploadUnderWay,
    { path, read, log }: Delivery,
  ): Promise<AddedPhoto> {
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
    const photo = { userId: user.id, ...received, header, madeBy: null };
    return addPhoto(deps, photo, {
      path,
      previewPath: `${path}.preview`,
      place: (key) => storage.put(key, path),
      log,
    });
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

/** Waits at most until `signal`. Throws ServiceUnavailableError then. */
export async function readHeader(
  inspector: PhotoInspector,
  path: string,
  signal: AbortSignal,
): Promise<PhotoProbe> {
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
    if (isOfDisk(cause)) fault = storageRefusesFiles(cause);
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
