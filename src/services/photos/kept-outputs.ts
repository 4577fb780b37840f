import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  InvalidInputError,
  isAboutPhoto,
  NotFoundError,
  ServiceUnavailableError,
} from "../../domain/errors.js";
import { isStorable } from "../../domain/is-storable.js";
import { SlowDownloadError, withScratchFolder } from "../../photos/storage.js";
import type { Logger } from "../../runtime/logger.js";
import type { OwnOutput, QueuedJobReads } from "../reads/queued-job-reads.js";
import type { User } from "../users/users.js";
import { addPhoto, type AddPhotoDeps } from "./add-photo.js";
import { HEADER_MS, readHeader } from "./photo-intake.js";
import type { Photo } from "./photos.js";
import { UploadsUnderWay, type UploadsUnderWayOptions } from "./uploads-under-way.js";

export interface KeptOutputs {
  /**
   * Copies an output to the photos of its owner. The same bytes give the same Photo, as it was.
   * Throws NotFoundError without such an output, InvalidInputError when it is not a picture, and
   * QuotaExceededError.
   */
  keep(user: User, output: { queuedJobId: string; name: string }, log: Logger): Promise<Photo>;
}

export interface KeptOutputsDeps extends AddPhotoDeps, UploadsUnderWayOptions {
  queuedJobReads: Pick<QueuedJobReads, "ownOutput">;
}

export function createKeptOutputs(deps: KeptOutputsDeps): KeptOutputs {
  const { photos, storage, queuedJobReads } = deps;
  // They share the child of the uploads, so they have the same limits per user, and take turns.
  const uploads = new UploadsUnderWay(deps);

  async function find(userId: string, id: string, name: string): Promise<OwnOutput> {
    if (name === "") throw InvalidInputError.at(["name"], "is empty");
    const output = isStorable(name) ? await queuedJobReads.ownOutput(userId, id, name) : null;
    if (!output) throw outputIsGone();
    if (!output.mimeType.startsWith("image/")) throw notAPicture(`It is ${output.mimeType}.`);
    return output;
  }

  async function copy(user: User, output: OwnOutput, folder: string, log: Logger): Promise<Photo> {
    const path = await storage.localPath(output.storageKey, folder).catch(slowly);
    if (path === null) throw outputIsGone();
    const sha256 = await hashOf(path);
    const twin = await photos.findBySha256(user.id, sha256);
    if (twin) return twin;
    await photos.checkRoom(user.id, output.byteSize);
    const signal = AbortSignal.timeout(HEADER_MS);
    const header = await readHeader(deps.inspector, path, signal).catch((error: unknown) =>
      Promise.reject(isAboutPhoto(error) ? notAPicture(error.message) : error),
    );
    const { byteSize, queuedJobId, name } = output;
    const photo = { userId: user.id, filename: name, sha256, byteSize, header };
    const added = await addPhoto(
      deps,
      { ...photo, madeBy: queuedJobId },
      {
        path,
        previewPath: join(folder, "preview.webp"),
        async place(key) {
          if (!(await storage.copy(output.storageKey, key))) throw outputIsGone();
        },
        log,
      },
    );
    return added.photo;
  }

  return {
    async keep(user, { queuedJobId, name }, log) {
      const output = await find(user.id, queuedJobId, name);
      const upload = uploads.begin(user.id);
      try {
        return await upload.inTurn(() =>
          withScratchFolder(storage, (folder) => copy(user, output, folder, log)),
        );
      } finally {
        upload.end();
      }
    },
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? outputIsGone() : error;
  });
  return hash.digest("hex");
}

function slowly(error: unknown): never {
  if (!(error instanceof SlowDownloadError)) throw error;
  throw new ServiceUnavailableError("The storage is too slow at the moment; try again later.", {
    cause: error,
  });
}

function outputIsGone(): NotFoundError {
  return new NotFoundError("There is no such output.");
}

function notAPicture(reason: string): InvalidInputError {
  return InvalidInputError.at(["name"], `is not a picture that can be kept as a photo. ${reason}`);
}
