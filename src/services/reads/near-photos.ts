import { available, type Database } from "../../db/database.js";
import type { NearPhoto, NearPhotoList } from "../../tasks/define-task.js";
import { signedHash } from "../photos/photos.js";

export interface NearPhotos {
  /**
   * The photos of `userId` whose perceptual hash differs from `phash` (16 hex digits) in at most
   * `maxDistance` bits, except those named; nearest first, of equally near ones the oldest first,
   * 100 at most.
   */
  find(query: {
    userId: string;
    phash: string;
    maxDistance: number;
    exceptIds: readonly string[];
  }): Promise<NearPhotoList>;
}

const MOST = 100;

/**
 * No tree and no table of chunks: all hashes of one user lie side by side in an index, and 100,000
 * are compared in some 15 ms.
 */
export function createNearPhotos({ sql }: Pick<Database, "sql">): NearPhotos {
  return {
    async find({ userId, phash, maxDistance, exceptIds }) {
      const rows = await available(
        () => sql<NearPhoto[]>`
        select id as "photoId", distance from (
          select id, bit_count((phash # ${String(signedHash(phash))}::bigint)::bit(64))::int as
            distance from photos where user_id = ${userId}) p
        where distance <= ${maxDistance} and id <> all(${[...exceptIds]}::uuid[])
        order by distance, id limit ${MOST + 1}`,
      );
      return {
        photos: rows.slice(0, MOST).map(({ photoId, distance }) => ({ photoId, distance })),
        cut: rows.length > MOST,
      };
    },
  };
}
