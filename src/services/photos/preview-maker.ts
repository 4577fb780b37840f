// Previews that an upload did not wait for. What is due stands in the rows: no preview, and
// attempts left.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { available, type Database } from "../../db/database.js";
import { isAboutPhoto, ServiceUnavailableError } from "../../domain/errors.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { signedHash } from "./signed-hash.js";

/** After so many there is no preview of a photo, and none is tried for any more. */
export const PREVIEW_ATTEMPTS = 3;

export interface PreviewMaker {
  /**
   * Makes previews, thumbhashes and perceptual hashes of the photos that have none yet; returns of
   * how many.
   */
  makePreviews(): Promise<number>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

interface Due {
  id: string;
  userId: string;
  storageKey: string;
  attempts: number;
}

/** Photos in one go; the others have their turn at the next. */
const BATCH = 50;
/** After so many in a row, and none that went well, a store is away. */
const MAX_PUT_OFF = 3;

/** `openInspector`: its child is kept only as long as there is something to do. */
export function createPreviewMaker(deps: {
  database: Database;
  storage: Storage;
  openInspector: () => PhotoInspector;
  log: Logger;
}): PreviewMaker {
  const { storage } = deps;
  const { sql } = deps.database;
  let inspector: PhotoInspector | null = null;
  let closed = false;

  /** Those that were tried least come first, so that none that fail stand before others. */
  const findDue = () => sql<Due[]>`
    select id, user_id as "userId", storage_key as "storageKey", preview_attempts as attempts
      from photos
    where preview_key is null and preview_attempts < ${sql.unsafe(String(PREVIEW_ATTEMPTS))}
      order by preview_attempts, id limit ${BATCH}`;

  /**
   * Counted before it is tried: a photo that takes a worker with it is not tried for ever. False
   * when another worker is at it.
   */
  async function claim({ id, attempts }: Due): Promise<boolean> {
    const rows =
      await sql`update photos set preview_attempts = preview_attempts + 1 where id = ${id}
        and preview_key is null and preview_attempts = ${attempts} returning id`;
    return rows.length === 1;
  }

  const setAttempts = ({ id }: Due, attempts: number) =>
    sql`update photos set preview_attempts = ${attempts} where id = ${id} and preview_key is null`;

  async function make(photo: Due, through: PhotoInspector, folder: string): Promise<boolean> {
    const path = await storage.localPath(photo.storageKey, folder);
    if (path === null) return false;
    const target = join(folder, "preview.webp");
    const { thumbhash, phash } = await through.preview(path, target);
    // Of the attempt, since a key is used once.
    const key = `previews/${photo.userId}/${photo.id}.${photo.attempts + 1}`;
    await storage.put(key, target);
    const hash = signedHash(phash);
    const rows = await available(
      () => sql`
      update photos set preview_key = ${key}, thumbhash = ${thumbhash},
        phash = ${hash === null ? null : String(hash)}::bigint where id = ${photo.id}
        and preview_key is null returning id`,
    );
    // The photo was deleted meanwhile.
    if (rows.length === 0) await storage.delete([key]);
    return rows.length === 1;
  }

  async function tryOne(photo: Due, through: PhotoInspector): Promise<boolean> {
    if (!(await available(() => claim(photo)))) return false;
    const folder = await mkdtemp(join(storage.scratchFolder, "preview-"));
    try {
      return await make(photo, through, folder);
    } catch (error) {
      if (wasPutOff(error)) throw error;
      if (isAboutPhoto(error)) await available(() => setAttempts(photo, PREVIEW_ATTEMPTS));
      deps.log.warn(
        { err: error, photoId: photo.id, attempt: photo.attempts + 1 },
        "no preview could be made",
      );
      return false;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * One that a store does not answer for stands in no other's way, and costs an attempt where the
   * store answers for others; where it answers for none it is away, which costs none.
   */
  async function tryAll(due: Due[], through: PhotoInspector): Promise<number> {
    const putOff: { photo: Due; error: unknown }[] = [];
    let [made, isAway] = [0, true];
    for (const photo of due) {
      if (closed || (isAway && putOff.length === MAX_PUT_OFF)) break;
      try {
        if (await tryOne(photo, through)) made++;
        isAway = false;
      } catch (error) {
        if (!wasPutOff(error)) throw error;
        putOff.push({ photo, error });
      }
    }
    for (const { photo, error } of putOff) {
      if (isAway || closed) await available(() => setAttempts(photo, photo.attempts));
      else
        deps.log.warn(
          { err: error, photoId: photo.id, attempt: photo.attempts + 1 },
          "no preview could be made",
        );
    }
    if (isAway && putOff[0] && !closed) throw putOff[0].error;
    return made;
  }

  return {
    async makePreviews() {
      const due = await available(findDue);
      if (due.length === 0 || closed) return 0;
      const own = (inspector = deps.openInspector());
      try {
        const made = await tryAll(due, own);
        if (made > 0) deps.log.info({ previews: made }, "previews were made");
        return made;
      } finally {
        await own.close();
      }
    },
    async close() {
      closed = true;
      await inspector?.close();
    },
  };
}

/** A store was away, or we are to end: that is not the photo's fault. */
function wasPutOff(error: unknown): boolean {
  return (
    error instanceof ServiceUnavailableError ||
    (error instanceof ChildStoppedError && error.reason === "closed")
  );
}
