// Previews that an upload did not wait for. What is due stands in the rows: no preview, and
// attempts left.
import type { Sql } from "postgres";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { available, type Database } from "../../db/database.js";
import { isAboutPhoto, ServiceUnavailableError } from "../../domain/errors.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Logger } from "../../runtime/logger.js";
import type { Storage } from "../../photos/storage.js";
import { signedHash } from "./photos.js";

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

interface Stores {
  sql: Sql;
  storage: Storage;
  log: Logger;
}

/** `openInspector`: its child is kept only as long as there is something to do. */
export function createPreviewMaker(deps: {
  database: Database;
  storage: Storage;
  openInspector: () => PhotoInspector;
  log: Logger;
}): PreviewMaker {
  const { sql } = deps.database;
  const stores = { sql, storage: deps.storage, log: deps.log };
  let inspector: PhotoInspector | null = null;
  let closed = false;

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
        if (await tryOne(stores, photo, through)) made++;
        isAway = false;
      } catch (error) {
        if (!wasPutOff(error)) throw error;
        putOff.push({ photo, error });
      }
    }
    for (const { photo, error } of putOff) {
      if (isAway || closed) await available(() => setAttempts(sql, photo, photo.attempts));
      else warnNotMade(deps.log, photo, error);
    }
    if (isAway && putOff[0] && !closed) throw putOff[0].error;
    return made;
  }

  return {
    async makePreviews() {
      const due = await available(() => findDue(sql));
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

async function tryOne(stores: Stores, photo: Due, through: PhotoInspector): Promise<boolean> {
  const { sql, storage, log } = stores;
  if (!(await available(() => claim(sql, photo)))) return false;
  const folder = await mkdtemp(join(storage.scratchFolder, "preview-"));
  try {
    return await make(stores, photo, through, folder);
  } catch (error) {
    if (wasPutOff(error)) throw error;
    if (isAboutPhoto(error)) await available(() => setAttempts(sql, photo, PREVIEW_ATTEMPTS));
    warnNotMade(log, photo, error);
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function make(
  { storage, sql }: Stores,
  photo: Due,
  through: PhotoInspector,
  folder: string,
): Promise<boolean> {
  const path = await storage.localPath(photo.storageKey, folder);
  if (path === null) return false;
  const target = join(folder, "preview.webp");
  const { thumbhash, phash } = await through.preview(path, target);
  // Of the attempt, since a key is used once.
  const key = `previews/${photo.userId}/${photo.id}.${photo.attempts + 1}`;
  await storage.put(key, target);
  if (await record(sql, photo, { key, thumbhash, phash })) return true;
  // The photo was deleted meanwhile.
  await storage.delete([key]);
  return false;
}

/** Those that were tried least come first, so that none that fail stand before others. */
const findDue = (sql: Sql) => sql<Due[]>`
  select id, user_id as "userId", storage_key as "storageKey", preview_attempts as attempts
    from photos
  where preview_key is null and preview_attempts < ${sql.unsafe(String(PREVIEW_ATTEMPTS))}
    order by preview_attempts, id limit ${BATCH}`;

/**
 * Counted before it is tried: a photo that takes a worker with it is not tried for ever. False
 * when another worker is at it.
 */
async function claim(sql: Sql, { id, attempts }: Due): Promise<boolean> {
  const rows = await sql`update photos set preview_attempts = preview_attempts + 1 where id = ${id}
      and preview_key is null and preview_attempts = ${attempts} returning id`;
  return rows.length === 1;
}

const setAttempts = (sql: Sql, { id }: Due, attempts: number) =>
  sql`update photos set preview_attempts = ${attempts} where id = ${id} and preview_key is null`;

/** False when the photo has a preview, or was deleted. */
async function record(
  sql: Sql,
  { id }: Due,
  { key, thumbhash, phash }: { key: string; thumbhash: string; phash: string | null },
): Promise<boolean> {
  const hash = signedHash(phash);
  const rows = await available(
    () => sql`
    update photos set preview_key = ${key}, thumbhash = ${thumbhash},
      phash = ${hash === null ? null : String(hash)}::bigint where id = ${id}
      and preview_key is null returning id`,
  );
  return rows.length === 1;
}

function warnNotMade(log: Logger, { id, attempts }: Due, error: unknown): void {
  log.warn({ err: error, photoId: id, attempt: attempts + 1 }, "no preview could be made");
}

/** A store was away, or we are to end: that is not the photo's fault. */
function wasPutOff(error: unknown): boolean {
  return (
    error instanceof ServiceUnavailableError ||
    (error instanceof ChildStoppedError && error.reason === "closed")
  );
}
