// Serves a photo in other sizes and formats. A rendition is made on its first request and stored;
// it is made once, however many requests arrive at the same time. Two processes may both make it,
// and store the same picture under the same key.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import { available, type Database } from "../../db/database.js";
import {
  NotFoundError,
  PhotoTooLargeError,
  PhotoUnreadableError,
  ServiceUnavailableError,
  storageUnavailable,
} from "../../domain/errors.js";
import type { RenditionMaker } from "../../imaging/renditions/rendition-maker.js";
import { withScratchFolder, type Storage } from "../../photos/storage.js";
import type { Logger } from "../../runtime/logger.js";
import { renditionKey, type Photo, type Photos } from "./photos.js";
import { findRendition, type Rendition } from "./rendition-ladder.js";
import { UserTurns } from "./user-turns.js";

/** `made`: decoded for this request. `stored`: read from the storage. */
export type RenditionOutcome = "made" | "stored" | "unreadable" | "refused" | "failed";

export interface RenditionFile {
  bytes: Buffer;
  mimeType: string;
}

export interface Renditions {
  /**
   * Returns null when the photo or the name does not exist. Throws PhotoUnreadableError when the
   * photo cannot be decoded, and ServiceUnavailableError when too many renditions wait or the
   * storage is away.
   */
  read(photoId: string, name: string): Promise<RenditionFile | null>;
  /** Number of renditions that wait for a child. */
  readonly waiting: number;
  /** Starts the children now instead of with the first request. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

export interface RenditionsDeps {
  database: Database;
  photos: Pick<Photos, "findMany">;
  storage: Storage;
  maker: RenditionMaker;
  /** Number of children. */
  concurrency: number;
  /** Called for each answer. */
  onAnswer?(outcome: RenditionOutcome): void;
  /** Called when a child made a rendition. */
  onMade?(seconds: number): void;
  log: Logger;
}

/** Renditions that may wait, in total and of one user. A page of a gallery has about 100. */
const MAX_WAITING = 500;
const MAX_WAITING_PER_USER = 200;
/** Deaths of children after which no further rendition of a photo is tried. */
const MAX_DEATHS = 2;

export function createRenditions(deps: RenditionsDeps): Renditions {
  const { photos, storage, maker, concurrency, onAnswer = () => {} } = deps;
  const turns = new UserTurns({
    concurrency,
    maxWaiting: MAX_WAITING,
    maxWaitingPerUser: MAX_WAITING_PER_USER,
  });
  /** The reads under way, by photo and name. */
  const reads = new Map<string, Promise<RenditionFile | null>>();

  async function readOne(photoId: string, name: string): Promise<RenditionFile | null> {
    const [photo] = await photos.findMany([photoId]);
    const rendition = photo ? findRendition(photo, name) : null;
    if (!photo || !rendition) return null;
    const stored = photo.renditions.includes(name)
      ? await storage.read(renditionKey(photo, name))
      : null;
    const bytes = stored ?? (await make({ ...deps, turns }, photo, rendition));
    onAnswer(stored ? "stored" : "made");
    return { bytes, mimeType: rendition.mimeType };
  }

  return {
    read(photoId, name) {
      const id = `${photoId}/${name}`;
      const current = reads.get(id);
      if (current) return current;
      const read = readOne(photoId, name)
        .catch((error: unknown) => {
          if (error instanceof NotFoundError) return null;
          onAnswer(outcomeOf(error));
          throw error;
        })
        .finally(() => reads.delete(id));
      reads.set(id, read);
      return read;
    },
    get waiting() {
      return turns.waiting;
    },
    warm: maker.warm,
    close: maker.close,
  };
}

interface MakeDeps extends RenditionsDeps {
  turns: UserTurns;
}

/** Makes and stores a rendition. Throws NotFoundError when the photo was deleted. */
function make(deps: MakeDeps, photo: Photo, rendition: Rendition): Promise<Buffer> {
  const { storage, turns } = deps;
  return withScratchFolder(storage, async (folder) => {
    const outputPath = join(folder, rendition.name);
    await turns.run(photo.userId, () => decode(deps, photo, { ...rendition, outputPath, folder }));
    const bytes = await readFile(outputPath);
    const key = renditionKey(photo, rendition.name);
    await storage.put(key, outputPath);
    if (await record(deps.database, photo, rendition)) return bytes;
    await storage.delete([key]);
    throw photoIsGone();
  });
}

/** Returns false when the photo was deleted. */
async function record({ sql }: Database, { id }: Photo, { name }: Rendition): Promise<boolean> {
  const rows = await available(
    () => sql`
      update photos
        set renditions = array_append(array_remove(renditions, ${name}::text), ${name}::text)
      where id = ${id} returning id`,
  );
  return rows.length === 1;
}

async function decode(
  { database, photos, storage, maker, onMade, log }: MakeDeps,
  { id }: Photo,
  { folder, width, height, format, outputPath }: Rendition & { folder: string; outputPath: string },
): Promise<void> {
  // The photo may have been deleted, or have killed a child, while this rendition waited.
  const [photo] = await photos.findMany([id]);
  if (!photo) throw photoIsGone();
  if (photo.renditionError !== null) throw new PhotoUnreadableError(photo.renditionError);
  const path = await storage.localPath(photo.storageKey, folder).catch(unavailable);
  if (path === null) throw photoIsGone();
  const start = performance.now();
  try {
    await makeSafely(maker, { path, width, height, format, outputPath });
    onMade?.((performance.now() - start) / 1000);
  } catch (error) {
    // A file that is deleted during the decode is not a fault.
    if (!(await storage.has(photo.storageKey))) throw photoIsGone();
    if (!(error instanceof PhotoUnreadableError)) throw error;
    log.info({ err: error.cause ?? error, photoId: id }, "no rendition of a photo can be made");
    await available(
      () => database.sql`update photos set rendition_error = ${error.message} where id = ${id}`,
    );
    throw error;
  }
}

/**
 * Throws PhotoUnreadableError when no rendition of the photo can be made. A child may also die by
 * chance, so the first death is followed by a second try.
 */
async function makeSafely(
  maker: RenditionMaker,
  request: Parameters<RenditionMaker["make"]>[0],
): Promise<void> {
  for (let deaths = 1; ; deaths++) {
    try {
      return await maker.make(request);
    } catch (cause) {
      const reason = reasonOf(cause);
      if (deaths === MAX_DEATHS) throw new PhotoUnreadableError(reason, { cause });
    }
  }
}

/**
 * Returns how the photo stopped the child. Rethrows everything else. Another process may kill a
 * child, mostly the kernel when memory is short, so that is never blamed on the photo.
 */
function reasonOf(error: unknown): string {
  if (error instanceof PhotoTooLargeError) return error.message;
  if (!(error instanceof ChildStoppedError)) throw error;
  if (FAULTS_OF_PHOTOS.has(error.reason)) return STOPPED;
  throw new ServiceUnavailableError("The image could not be made; try again in a moment.", {
    cause: error,
  });
}

const FAULTS_OF_PHOTOS: ReadonlySet<ChildStoppedError["reason"]> = new Set([
  "timeout",
  "memory",
  "crashed",
]);

const STOPPED =
  "The picture could not be decoded: the decoder stopped at it twice. Upload the original file " +
  "again.";

function photoIsGone(): NotFoundError {
  return new NotFoundError("The photo was deleted.");
}

/** A file that did not arrive whole is never passed on. */
function unavailable(cause: unknown): never {
  if (cause instanceof ServiceUnavailableError) throw cause;
  throw storageUnavailable(cause);
}

function outcomeOf(error: unknown): RenditionOutcome {
  if (error instanceof PhotoUnreadableError) return "unreadable";
  return error instanceof ServiceUnavailableError ? "refused" : "failed";
}
