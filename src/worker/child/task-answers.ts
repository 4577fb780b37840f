import { z } from "zod";
import type { NearPhotos } from "../../services/reads/near-photos.js";

const findNearPhotos = z.strictObject({
  phash: z.string().regex(/^[0-9a-f]{16}$/),
  maxDistance: z.int().min(0).max(64),
});

/**
 * Answers what a task in a child may ask, of the photos of the attempt's owner and of nobody else.
 * Nothing that is asked is believed, and one question is answered at a time: a child decodes
 * strangers' bytes.
 */
export function createTaskAnswers(
  { nearPhotos }: { nearPhotos: NearPhotos },
  { userId, photoIds }: { userId: string; photoIds: string[] },
): (name: string, argument: unknown) => Promise<unknown> {
  let busy = false;
  return async (name, argument) => {
    if (name !== "findNearPhotos") throw new Error(`A task may not ask "${name}".`);
    if (busy) throw new Error("A task may ask one question at a time.");
    busy = true;
    try {
      return await nearPhotos.find({
        ...findNearPhotos.parse(argument),
        userId,
        exceptIds: photoIds,
      });
    } finally {
      busy = false;
    }
  };
}
