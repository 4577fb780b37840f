// Makes the previews that an upload did not wait for. A row is due when it has no preview and has
// attempts left.
import type { Sql } from "postgres";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { available, type Database } from "../../db/database.js";
import { isAboutPhoto, ServiceUnavailableError } from "../../domain/errors.js";
import { ChildStoppedError } from "../../child-pool/exit-reason.js";
import type { EventBus } from "../../events/event-bus.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { Logger } from "../../runtime/logger.js";
import { cleanText } from "../../imaging/metadata/clean-text.js";
import type { Storage } from "../../photos/storage.js";
import { recordPreviewed } from "./photo-events.js";
import { signedHash } from "./photos.js";

/** Maximum attempts to make a preview of one photo. */
export const PREVIEW_ATTEMPTS = 3;

export interface PreviewMaker {
  /**
   * Makes previews, thumbhashes and perceptual hashes of photos that have none. Returns the number
   * of previews made.
   */
  makePreviews(): Promise<number>;
  /** Stops the work under way. */
  close(): Promise<void>;
}

interface Due {
  id: string;
  userId: string;
  storageKey: string;
  attempts: number;
}

/** Maximum photos per call; the others follow in the next call. */
const BATCH = 50;
/** Failures in a row, without any success, after which the store counts as unavailable. */
const MAX_PUT_OFF = 3;

interface Stores {
  sql: Sql;
  bus: Pick<EventBus, "publish">;
  storage: Storage;
  log: Logger;
}

/** The child behind `openInspector` is kept only as long as photos are due. */
export function createPreviewMaker(deps: {
  database: Database;
  bus: Pick<EventBus, "publish">;
  storage: Storage;
  openInspector: () => PhotoInspector;
  log: Logger;
}): PreviewMaker {
  const { sql } = deps.database;
  const stores = { sql, bus: deps.bus, storage: deps.storage, log: deps.log };
  let inspector: PhotoInspector | null = null;
  let closed = false;

  /**
   * A photo that the store does not answer for does not block the others. It costs an attempt only
   * when the store answers for other photos. When the store answers for none, it is unavailable,
   * and no attempt is counted.
   */
  async function tryAll(due: Due[], through: PhotoInspector): Promise<number> {
    const putOff: { photo: Due; error: unknown }[] = [];
    let [count, isAway] = [0, true];
    for (const photo of due) {
      if (closed || (isAway && putOff.length === MAX_PUT_OFF)) break;
      try {
        if (await tryOne(stores, photo, through)) count++;
        isAway = false;
      } catch (error) {
        if (!wasPutOff(error)) throw error;
        putOff.push({ photo, error });
      }
    }
    for (const { photo, error } of putOff) {
      if (isAway || closed) await available(() => setAttempts(sql, photo, photo.attempts));
      else await failed(stores, photo, error);
    }
    if (isAway && putOff[0] && !closed) throw putOff[0].error;
    return count;
  }

  return {
    async makePreviews() {
      const due = await available(() => findDue(sql));
      if (due.length === 0 || closed) return 0;
      const current = (inspector = deps.openInspector());
      try {
        const count = await tryAll(due, current);
        if (count > 0) deps.log.info({ previews: count }, "previews were made");
        return count;
      } finally {
        await current.close();
      }
    },
    async close() {
      closed = true;
      await inspector?.close();
    },
  };
}

async function tryOne(stores: Stores, photo: Due, through: PhotoInspector): Promise<boolean> {
  const { sql, storage } = stores;
  if (!(await available(() => claim(sql, photo)))) return false;
  const folder = await mkdtemp(join(storage.scratchFolder, "preview-"));
  try {
    return await make(stores, photo, through, folder);
  } catch (error) {
    if (wasPutOff(error)) throw error;
    await failed(stores, photo, error);
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reports a failed attempt. After the last one, the photo is damaged for its owner, too. */
async function failed({ sql, bus, log }: Stores, photo: Due, error: unknown): Promise<void> {
  const attempt = photo.attempts + 1;
  reportNotMade(log, error, { photoId: photo.id, attempt });
  if (!isAboutPhoto(error) && attempt < PREVIEW_ATTEMPTS) return;
  const reason = isAboutPhoto(error) ? damageOf(error) : NOT_DECODED;
  const event = await available(() =>
    recordPreviewed(sql, {
      ...photo,
      set: sql`preview_attempts = ${PREVIEW_ATTEMPTS}, damaged = ${reason}`,
      where: sql`preview_key is null`,
    }),
  );
  if (event) bus.publish(photo.userId, [event]);
}

/** The reason for the owner, short enough for an index. */
export function damageOf({ message }: Error): string | null {
  return cleanText(message, 300);
}

const NOT_DECODED =
  "This picture could not be decoded: every attempt was stopped. Upload the original file again.";

async function make(
  { storage, sql, bus }: Stores,
  photo: Due,
  through: PhotoInspector,
  folder: string,
): Promise<boolean> {
  const path = await storage.localPath(photo.storageKey, folder);
  if (path === null) return false;
  const target = join(folder, "preview.webp");
  const { thumbhash, phash } = await through.preview(path, target);
  // The key contains the attempt, because a key is used only once.
  const key = `previews/${photo.userId}/${photo.id}.${photo.attempts + 1}`;
  await storage.put(key, target);
  const event = await record(sql, photo, { key, thumbhash, phash });
  if (event) {
    bus.publish(photo.userId, [event]);
    return true;
  }
  // The photo was deleted in the meantime.
  await storage.delete([key]);
  return false;
}

/** Photos with the fewest attempts come first, so that failing photos do not block others. */
const findDue = (sql: Sql) => sql<Due[]>`
  select id, user_id as "userId", storage_key as "storageKey", preview_attempts as attempts
    from photos
  where preview_key is null and preview_attempts < ${sql.unsafe(String(PREVIEW_ATTEMPTS))}
    order by preview_attempts, id limit ${BATCH}`;

/**
 * Counts the attempt before it starts, so that a photo that kills its worker is not retried without
 * end. Returns false when another worker has claimed the photo.
 */
async function claim(sql: Sql, { id, attempts }: Due): Promise<boolean> {
  const rows = await sql`update photos set preview_attempts = preview_attempts + 1 where id = ${id}
      and preview_key is null and preview_attempts = ${attempts} returning id`;
  return rows.length === 1;
}

const setAttempts = (sql: Sql, { id }: Due, attempts: number) =>
  sql`update photos set preview_attempts = ${attempts} where id = ${id} and preview_key is null`;

/** Returns null when the photo already has a preview or was deleted. */
function record(
  sql: Sql,
  photo: Due,
  { key, thumbhash, phash }: { key: string; thumbhash: string; phash: string | null },
) {
  const hash = signedHash(phash);
  return available(() =>
    recordPreviewed(sql, {
      ...photo,
      set: sql`preview_key = ${key}, thumbhash = ${thumbhash}, damaged = null,
        phash = ${hash === null ? null : String(hash)}::bigint`,
      where: sql`preview_key is null`,
    }),
  );
}

/** A damaged photo is its owner's: it needs no stack, and no operator. */
export function reportNotMade(log: Logger, error: unknown, fields: object): void {
  const message = "no preview could be made";
  if (isAboutPhoto(error))
    log.info({ ...fields, code: error.code, reason: error.message }, message);
  else log.warn({ ...fields, err: error }, message);
}

/** The store was unavailable or this process is closing, so the photo is not at fault. */
function wasPutOff(error: unknown): boolean {
  return (
    error instanceof ServiceUnavailableError ||
    (error instanceof ChildStoppedError && error.reason === "closed")
  );
}
