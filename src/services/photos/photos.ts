import type { Fragment, Sql } from "postgres";
import { and, eq, getTableColumns, sql as part } from "drizzle-orm";
import { inTransaction, available, sqlState, type Database } from "../../db/database.js";
import { ALREADY_THERE, OVER_QUOTA, OVER_RECORDED } from "../../db/refusals.js";
import { photos } from "../../db/schema/photos.js";
import { queuedJobPhotos } from "../../db/schema/queued-jobs.js";
import { ConflictError, NotFoundError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import type { PhotoEvent } from "../../domain/photo-event.js";
import type { EventBus } from "../../events/event-bus.js";
import type { PhotoFacts } from "../../imaging/metadata/photo-facts.js";
import { inChunks } from "../reads/ids.js";
import { insertPhotoEvent, photoEventColumns, withPhotoSnapshots } from "./photo-events.js";
import { quotaExceeded, whyNoRoom } from "./quota-exceeded.js";
import type { User } from "../users/users.js";

export type Photo = typeof photos.$inferSelect;

/** Values of a new photo that have a default. */
const DEFAULTS = {
  previewAttempts: 0,
  metadataTries: 0,
  takenAt: null,
  takenAtOffset: null,
  latitude: null,
  longitude: null,
  altitude: null,
  camera: null,
  lens: null,
  orientation: null,
  damaged: null,
  madeBy: null,
  renditions: [],
  renditionError: null,
} satisfies Partial<Photo>;

/** The values of a photo once its bytes are stored. */
export type NewPhoto = Omit<Photo, "createdAt" | keyof typeof DEFAULTS> &
  Partial<Pick<Photo, keyof typeof DEFAULTS>>;

/** The columns of a row that hold what the tags of its file say. */
export function factColumns({ location, ...facts }: PhotoFacts) {
  return { ...facts, ...(location ?? { latitude: null, longitude: null, altitude: null }) };
}

/** The storage keys of the files that a photo has from the start. */
export function storageKeysOf({
  storageKey,
  previewKey,
}: Pick<Photo, "storageKey" | "previewKey">): string[] {
  return previewKey === null ? [storageKey] : [storageKey, previewKey];
}

/** The key is deterministic, so that each process finds what another one has made. */
export function renditionKey({ id, userId }: Pick<Photo, "id" | "userId">, name: string): string {
  return `renditions/${userId}/${id}/${name}`;
}

/** An expression for those keys of rows of `photos`; it returns a set. */
export function renditionKeysOf(sql: Sql): Fragment {
  return sql`'renditions/' || user_id || '/' || id || '/' || unnest(renditions)`;
}

export interface Photos {
  /** Returns the photo to its owner and to admins; null to all others. */
  find(actor: Pick<User, "id" | "role">, id: string): Promise<Photo | null>;
  /** Returns the photos in the order of the ids; null for an unknown id. */
  findMany(ids: readonly string[]): Promise<(Photo | null)[]>;
  /**
   * Returns the photos of a QueuedJob that still exist, in the order in which they were submitted.
   */
  ofQueuedJob(queuedJobId: string): Promise<Photo[]>;
  findBySha256(userId: string, sha256: string): Promise<Photo | null>;
  /**
   * Returns null when a concurrent upload has already added the same bytes. Throws
   * QuotaExceededError, and UnauthenticatedError when the user was deleted.
   */
  add(photo: NewPhoto): Promise<Photo | null>;
  /** Throws QuotaExceededError if this user has no room for so many more bytes. */
  checkRoom(userId: string, bytes: number): Promise<void>;
  /**
   * Removes a photo of this user. Throws NotFoundError, and ConflictError while unfinished
   * QueuedJobs use it.
   */
  remove(userId: string, id: string): Promise<void>;
}

interface PhotosDeps extends PhotoQuotas {
  database: Database;
  bus: Pick<EventBus, "publish">;
  deleteFiles(storageKeys: string[]): Promise<void>;
  log: Logger;
}

export function createPhotos(deps: PhotosDeps): Photos {
  const { sql } = deps.database;
  const reads = createPhotoReads(deps.database);

  async function findOwn(userId: string, id: string): Promise<Photo> {
    const photo = await reads.find({ id: userId, role: "USER" }, id);
    if (!photo) throw new NotFoundError("There is no such Photo.");
    return photo;
  }

  return {
    ...reads,
    async add(photo) {
      try {
        const row = { ...DEFAULTS, ...photo };
        const event = await available(() => insertPhoto(sql, row, deps));
        deps.bus.publish(photo.userId, [event]);
        return { ...row, createdAt: new Date(event.photo.createdAt) };
      } catch (error) {
        if (sqlState(error) === ALREADY_THERE) return null;
        throw await whyRefused(sql, photo.userId, error, deps);
      }
    },
    async checkRoom(userId, bytes) {
      const [full] = await available(
        () => sql`select from user_streams
          where user_id = ${userId} and stored_bytes + ${bytes} > ${deps.maxStoredBytes}`,
      );
      if (full) throw quotaExceeded.storedBytes(deps.maxStoredBytes);
    },
    async remove(userId, id) {
      const photo = await findOwn(userId, id);
      const gone = await available(() => removeUnused(sql, photo));
      if (!gone) {
        await findOwn(userId, id);
        throw new ConflictError(
          "Unfinished QueuedJobs use this photo: cancel them, or wait until they have finished.",
        );
      }
      deps.bus.publish(userId, [gone.event]);
      await deps
        .deleteFiles([
          ...storageKeysOf(gone.event.photo),
          ...gone.renditions.map((name) => renditionKey(photo, name)),
        ])
        .catch((error) =>
          deps.log.warn(
            { err: error, photoId: id },
            "files of a deleted photo were not deleted; the file sweep removes them",
          ),
        );
    },
  };
}

function createPhotoReads({ orm }: Database): Omit<Photos, "add" | "checkRoom" | "remove"> {
  // Built once, because every attempt uses it.
  const ofQueuedJob = orm
    .select(getTableColumns(photos))
    .from(queuedJobPhotos)
    .innerJoin(photos, eq(photos.id, queuedJobPhotos.photoId))
    .where(eq(queuedJobPhotos.queuedJobId, part.placeholder("queuedJobId")))
    .orderBy(queuedJobPhotos.position)
    .prepare("photos_of_queued_job");

  const byIds = orm
    .select()
    .from(photos)
    .where(part`${photos.id} = any(${part.placeholder("ids")}::uuid[])`)
    .prepare("photos_by_ids");

  async function findMany(ids: readonly string[]): Promise<(Photo | null)[]> {
    const rows = await inChunks(ids, (some) => available(() => byIds.execute({ ids: some })));
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  async function find(actor: Pick<User, "id" | "role">, id: string): Promise<Photo | null> {
    const [photo] = await findMany([id]);
    return photo && (photo.userId === actor.id || actor.role === "ADMIN") ? photo : null;
  }

  return {
    find,
    findMany,
    ofQueuedJob: (queuedJobId) => available(() => ofQueuedJob.execute({ queuedJobId })),
    findBySha256: (userId, sha256) =>
      available(async () => {
        const [row] = await orm
          .select()
          .from(photos)
          .where(and(eq(photos.userId, userId), eq(photos.sha256, sha256)));
        return row ?? null;
      }),
  };
}

/** The columns of a photo's row, by the field of Photo. */
const COLUMNS = getTableColumns(photos);
const COLUMN_NAMES = Object.values(COLUMNS)
  .map(({ name }) => `"${name}"`)
  .join(", ");

interface PhotoQuotas {
  maxStoredBytes: number;
  maxRecordedBytes: number;
}

async function whyRefused(
  sql: Sql,
  userId: string,
  error: unknown,
  { maxStoredBytes, maxRecordedBytes }: PhotoQuotas,
): Promise<unknown> {
  const state = sqlState(error);
  if (state === OVER_RECORDED) return quotaExceeded.recordedBytes(maxRecordedBytes);
  if (state !== OVER_QUOTA) return error;
  return whyNoRoom(sql, userId, quotaExceeded.storedBytes(maxStoredBytes));
}

/**
 * Updates the counter before it inserts the row. When no row is inserted, the statement fails as a
 * whole.
 */
async function insertPhoto(
  sql: Sql,
  photo: Omit<Photo, "createdAt">,
  { maxStoredBytes, maxRecordedBytes }: PhotoQuotas,
): Promise<PhotoEvent> {
  const row = { ...photo, phash: photo.phash === null ? null : String(photo.phash) };
  const values = Object.fromEntries(
    Object.entries(row).map(([field, value]) => [COLUMNS[field as keyof Photo].name, value]),
  );
  const names = sql.unsafe(COLUMN_NAMES);
  const [event] = await sql<PhotoEvent[]>`
    with t as materialized (
      select * from jsonb_populate_record(null::photos,
        ${JSON.stringify(values)}::jsonb || jsonb_build_object('created_at', now()))),
    j as materialized (${withPhotoSnapshots(sql)}),
    s as (
      update user_streams u set stored_bytes = u.stored_bytes + j.byte_size,
        last_seq = u.last_seq + 1, recorded_bytes = u.recorded_bytes + j.event_bytes
      from j where u.user_id = j.user_id and u.stored_bytes + j.byte_size <= ${maxStoredBytes}
      returning u.last_seq, u.recorded_bytes),
    p as (
      insert into photos (${names}) select ${names} from t where exists (select from s)
      on conflict (user_id, sha256) do nothing returning id),
    e as (${insertPhotoEvent(sql, "ADDED")})
    select ${photoEventColumns(sql)}, case when e.seq is null then refuse(${OVER_QUOTA})
      when not exists (select from p) then refuse(${ALREADY_THERE})
      when s.recorded_bytes > ${maxRecordedBytes} then refuse(${OVER_RECORDED}) end as refused
    from j left join s on true left join e on true`;
  if (!event) throw new Error("The insert of a photo returned no row");
  const { refused: _, ...added } = event as PhotoEvent & { refused: null };
  return added;
}

interface RemovedPhoto {
  event: PhotoEvent;
  renditions: string[];
}

/**
 * Returns the event, and the files that only the deleted row names; null if it was not deleted.
 * Locks the counter first, as an accept does. Locking the photo and deleting it must be two
 * statements. Otherwise the delete could not see the QueuedJob of an accept that commits while it
 * waits. The photo's earlier events go with it.
 */
async function removeUnused(sql: Sql, photo: Photo): Promise<RemovedPhoto | null> {
  return inTransaction(sql, async (tx) => {
    await tx`select from user_streams where user_id = ${photo.userId} for no key update`;
    await tx`select from photos where id = ${photo.id} for update`;
    const [removed] = await tx<(PhotoEvent & Pick<Photo, "renditions">)[]>`
      with t as (
        delete from photos where id = ${photo.id} and not exists (
          select from queued_job_photos l join queued_jobs q on q.id = l.queued_job_id
            where l.photo_id = ${photo.id} and q.status in ('PENDING', 'STARTED'))
        returning *),
      j as materialized (${withPhotoSnapshots(tx)}),
      x as (
        delete from photo_events o using t where o.photo_id = t.id and o.user_id = t.user_id
        returning o.bytes),
      s as (
        update user_streams u set stored_bytes = u.stored_bytes - j.byte_size,
          last_seq = u.last_seq + 1, recorded_bytes = u.recorded_bytes + j.event_bytes
            - (select coalesce(sum(bytes), 0) from x)
        from j where u.user_id = j.user_id returning u.last_seq),
      e as (${insertPhotoEvent(tx, "DELETED")})
      select ${photoEventColumns(tx)}, j.renditions from j, e`;
    if (!removed) return null;
    const { renditions, ...event } = removed;
    return { event, renditions };
  });
}

/** Converts a perceptual hash of 16 hex digits to the signed 64-bit number that is stored. */
export function signedHash(hex: string | null): bigint | null {
  return hex === null ? null : BigInt.asIntN(64, BigInt(`0x${hex}`));
}

/** The inverse of `signedHash`. */
export function hashText(signed: bigint | null): string | null {
  return signed === null ? null : BigInt.asUintN(64, signed).toString(16).padStart(16, "0");
}
