import assert from "node:assert/strict";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { v7 as uuidv7 } from "uuid";
import type { Photo } from "../../src/services/photos/photos.js";
import type { User } from "../../src/services/users/users.js";
import type { WorkerScene } from "./worker-scene.js";

/** Stores five bytes as a photo of this user. */
export async function addPhotoTo(
  { deps: { storage, photos } }: WorkerScene,
  user: User,
  mimeType = "image/jpeg",
): Promise<Photo> {
  const id = uuidv7();
  const storageKey = `photos/${user.id}/${id}`;
  const path = join(await mkdtemp(join(storage.scratchFolder, "p-")), "bytes");
  await writeFile(path, "bytes");
  await storage.put(storageKey, path);
  const photo = await photos.add({
    id,
    userId: user.id,
    filename: `${id}.jpg`,
    mimeType,
    width: 3,
    height: 2,
    byteSize: 5,
    sha256: id,
    storageKey,
    previewKey: null,
    thumbhash: null,
    phash: null,
  });
  return photo ?? assert.fail("no photo");
}
