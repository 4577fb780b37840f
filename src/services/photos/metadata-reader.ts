// Reads the metadata of photos that an earlier release has stored, or whose upload could not.
import type { Sql } from "postgres";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { available, type Database } from "../../db/database.js";
import { isAboutPhoto, ServiceUnavailableError } from "../../domain/errors.js";
import type { EventBus } from "../../events/event-bus.js";
import type { PhotoInspector } from "../../imaging/inspect/photo-inspector.js";
import type { PhotoFacts } from "../../imaging/metadata/photo-facts.js";
import type { Storage } from "../../photos/storage.js";
import type { Logger } from "../../runtime/logger.js";
import { FIRST_ID } from "../reads/ids.js";
import { recordPreviewed } from "./photo-events.js";
import { factColumns } from "./photos.js";
import { PREVIEW_ATTEMPTS } from "./preview-maker.js";

export interface MetadataReader {
  /**
   * Reads the metadata of the next photos without any. Returns how many were completed. Throws
   * ServiceUnavailableError when the store or the child is unavailable; that costs no attempt.
   */
  readMissing(signal: AbortSignal): Promise<number>;
}

interface Due {
  id: string;
  userId: string;
  storageKey: string;
}

/** Maximum photos per call; the others follow in the next call. */
const BATCH = 100;

interface MetadataReaderDeps {
  database: Database;
  bus: Pick<EventBus, "publish">;
  storage: Storage;
  openInspector: () => PhotoInspector;
  log: Logger;
}

/** The child behind `openInspector` is kept only as long as photos are due. */
export function createMetadataReader(deps: MetadataReaderDeps): MetadataReader {
  const { sql } = deps.database;
  /** The next call goes on behind this photo, so that one without an answer blocks no other. */
  let position = FIRST_ID;

  async function readAll(due: readonly Due[], signal: AbortSignal): Promise<number> {
    const inspector = deps.openInspector();
    let count = 0;
    try {
      for (const photo of due) {
        if (signal.aborted) break;
        position = photo.id;
        if (await readOne(deps, inspector, photo)) count++;
      }
    } finally {
      await inspector.close();
    }
    if (count > 0) deps.log.info({ photos: count }, "metadata of photos was read");
    return count;
  }

  return {
    async readMissing(signal) {
      const due = await available(() => findDue(sql, position));
      const count = due.length > 0 ? await readAll(due, signal) : 0;
      if (due.length < BATCH) position = FIRST_ID;
      return count;
    },
  };
}

const findDue = (sql: Sql, after: string) => sql<Due[]>`
  select id, user_id as "userId", storage_key as "storageKey" from photos
  where metadata_tries > 0 and id > ${after} order by id limit ${BATCH}`;

async function readOne(
  { database: { sql }, bus, storage, log }: MetadataReaderDeps,
  inspector: PhotoInspector,
  photo: Due,
): Promise<boolean> {
  const folder = await mkdtemp(join(storage.scratchFolder, "metadata-"));
  try {
    const path = await storage.localPath(photo.storageKey, folder);
    if (path === null) throw new Error("The file of the photo is missing");
    const { facts } = await inspector.probe(path);
    if (facts === null) throw new Error("The reader stopped at the tags");
    const event = await available(() => record(sql, photo, facts));
    if (event) bus.publish(photo.userId, [event]);
    return event !== null;
  } catch (error) {
    if (error instanceof ServiceUnavailableError) throw error;
    await available(
      () => sql`update photos set metadata_tries = metadata_tries - 1
        where id = ${photo.id} and metadata_tries > 0`,
    );
    const level = isAboutPhoto(error) ? "info" : "warn";
    log[level]({ photoId: photo.id, err: error }, "the metadata of a photo was not read");
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A photo that once failed gets one more attempt at a preview, which records why it is damaged. */
function record(sql: Sql, { id, userId }: Due, facts: PhotoFacts) {
  const { takenAt, takenAtOffset, latitude, longitude, altitude, camera, lens, orientation } =
    factColumns(facts);
  return recordPreviewed(sql, {
    id,
    userId,
    set: sql`metadata_tries = 0, taken_at = ${takenAt}::text::timestamp,
      taken_at_offset = ${takenAtOffset}, latitude = ${latitude}, longitude = ${longitude},
      altitude = ${altitude}, camera = ${camera}, lens = ${lens}, orientation = ${orientation},
      preview_attempts = case when preview_key is null and damaged is null
        then least(preview_attempts, ${PREVIEW_ATTEMPTS - 1}) else preview_attempts end`,
    where: sql`p.metadata_tries > 0`,
  });
}
