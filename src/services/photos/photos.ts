import type { Fragment, Sql } from "postgres";
import {
  and,
  asc,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  lt,
  lte,
  sql as part,
  type SQL,
} from "drizzle-orm";
import { unionAll } from "drizzle-orm/pg-core";
import { inTransaction, available, sqlState, type Database } from "../../db/database.js";
import { ALREADY_THERE, OVER_QUOTA } from "../../db/refusals.js";
import { photos } from "../../db/schema/photos.js";
import { queuedJobPhotos } from "../../db/schema/queued-jobs.js";
import { ConflictError, NotFoundError } from "../../domain/errors.js";
import type { Logger } from "../../runtime/logger.js";
import { inChunks } from "../reads/ids.js";
import { cutPage, type Page, type PageRange } from "../reads/page.js";
import { quotaExceeded, whyNoRoom } from "./quota-exceeded.js";
import type { User } from "../users/users.js";

export type Photo = typeof photos.$inferSelect;

/** The values of a photo once its bytes are stored. */
export type NewPhoto = Omit<Photo, "createdAt" | keyof typeof NO_RENDITIONS | OptionalValue> &
  Partial<Pick<Photo, OptionalValue>>;
type OptionalValue = "previewAttempts" | "madeBy";

const NO_RENDITIONS = { renditions: [], renditionError: null } satisfies Partial<Photo>;

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
  /** Returns a page of photos, newest first. */
  page(query: PageRange & { userId: string }): Promise<Page<Photo>>;
  /** Counts photos, but stops at `most`. */
  count(userId: string, most: number): Promise<number>;
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

export function createPhotos(deps: {
  database: Database;
  deleteFiles(storageKeys: string[]): Promise<void>;
  maxStoredBytes: number;
  log: Logger;
}): Photos {
  const { orm, sql } = deps.database;
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
        return await available(() => insertPhoto(orm, photo, deps.maxStoredBytes));
      } catch (error) {
        const state = sqlState(error);
        if (state === ALREADY_THERE) return null;
        if (state === OVER_QUOTA)
          throw await whyNoRoom(sql, photo.userId, quotaExceeded.storedBytes(deps.maxStoredBytes));
        throw error;
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
      await deps
        .deleteFiles([
          ...storageKeysOf(gone),
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

function createPhotoReads({ orm, sql }: Database): Omit<Photos, "add" | "checkRoom" | "remove"> {
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
    page: ({ userId, ...range }) => available(() => readPage(orm, userId, range)),
    count: (userId, most) =>
      available(async () => {
        const [row] = await sql<
          { n: number }[]
        >`select count(*)::int as n from (select from photos where user_id = ${userId}
          limit ${most}) few`;
        return row?.n ?? 0;
      }),
  };
}

/** Reads the page, and with a key also the nearest photo behind it. */
async function readPage(
  orm: Database["orm"],
  userId: string,
  range: PageRange,
): Promise<Page<Photo>> {
  const { size, backward, key } = range;
  const [past, ahead, back] = backward ? [gt, asc, desc] : [lt, desc, asc];
  const upTo = backward ? lte : gte;
  const scan = (beside: SQL | undefined, order: SQL, limit: number) =>
    orm
      .select()
      .from(photos)
      .where(and(eq(photos.userId, userId), beside))
      .orderBy(order)
      .limit(limit);
  const rows = await (key === null
    ? scan(undefined, ahead(photos.id), size + 1)
    : unionAll(
        scan(past(photos.id, key), ahead(photos.id), size + 1),
        scan(upTo(photos.id, key), back(photos.id), 1),
      ).orderBy(desc(photos.id)));
  const isOldestFirst = key === null && backward;
  return cutPage(isOldestFirst ? rows.toReversed() : rows, range, {
    keyOf: ({ id }) => id,
    descending: true,
  });
}

/**
 * Updates the counter before it inserts the row. When no row is inserted, the statement fails as a
 * whole.
 */
async function insertPhoto(
  orm: Database["orm"],
  photo: NewPhoto,
  maxStoredBytes: number,
): Promise<Photo> {
  const row: Omit<Photo, "createdAt" | keyof typeof NO_RENDITIONS> = {
    previewAttempts: 0,
    madeBy: null,
    ...photo,
  };
  const columns = Object.entries(getTableColumns(photos)).filter(
    ([key]) => key !== "createdAt" && !(key in NO_RENDITIONS),
  );
  const names = columns.map(([, { name }]) => part.identifier(name));
  const values = columns.map(([key, column]) => part.param(row[key as keyof typeof row], column));
  const [added] = await orm.execute<{ createdAt: string }>(part`
    with s as (
      update user_streams set stored_bytes = stored_bytes + ${row.byteSize}
      where user_id = ${row.userId} and stored_bytes + ${row.byteSize} <= ${maxStoredBytes}
        returning user_id),
    p as (
      insert into photos (${part.join(names, part`, `)}, created_at)
        select ${part.join(values, part`, `)}, now() from s
      on conflict (user_id, sha256) do nothing returning created_at)
    select (select rfc3339(created_at) from p) as "createdAt",
      case when not exists (select from s) then refuse(${OVER_QUOTA}) when not exists (select
        from p) then refuse(${ALREADY_THERE}) end as refused`);
  return { ...row, ...NO_RENDITIONS, createdAt: new Date(added?.createdAt ?? 0) };
}

type PhotoFiles = Pick<Photo, "storageKey" | "previewKey" | "renditions">;

/**
 * Returns the files of the deleted photo; null if it was not deleted. Locks the counter first, as
 * an accept does. Locking the photo and deleting it must be two statements. Otherwise the delete
 * could not see the QueuedJob of an accept that commits while it waits.
 */
async function removeUnused(sql: Sql, photo: Photo): Promise<PhotoFiles | null> {
  return inTransaction(sql, async (tx) => {
    await tx`select from user_streams where user_id = ${photo.userId} for no key update`;
    await tx`select from photos where id = ${photo.id} for update`;
    const [gone] = await tx<PhotoFiles[]>`
      with p as (
        delete from photos where id = ${photo.id} and not exists (
          select from queued_job_photos l join queued_jobs q on q.id = l.queued_job_id
            where l.photo_id = ${photo.id} and q.status in ('PENDING', 'STARTED'))
        returning user_id, byte_size, storage_key, preview_key, renditions)
      update user_streams s set stored_bytes = stored_bytes - p.byte_size from p
        where s.user_id = p.user_id returning p.storage_key as "storageKey",
          p.preview_key as "previewKey", p.renditions`;
    return gone ?? null;
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
