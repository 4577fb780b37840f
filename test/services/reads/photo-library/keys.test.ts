// Tests that photos are found by the keys of their names and hashes, with more photos than are
// searched before the keys are.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Photo } from "../../../../src/services/photos/photos.js";
import { ANY_PHOTO, type PhotoFilter } from "../../../../src/services/reads/photo-filter.js";
import { createPhotoLibrary } from "../../../../src/services/reads/photo-library.js";
import type { User } from "../../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const NAMES = [
  "It's \\ 1%.jpg",
  "a & b|!c:* (d)",
  "Ünï–Ärger 😀😀",
  "''\\\\''",
  "İstanbul ΣΑΣ.jpg",
  "n",
  "no",
  "now",
];
const TEXTS = [
  "sunset",
  "nowhere",
  "'",
  "\\",
  "':*",
  " & ",
  "\\'",
  "/",
  "jpgn",
  "😀😀😀",
  "%",
  "_",
];
const NEWER_PHOTOS = 5100;
const HASH = 0x5a5a_0ff0_1234_9876n;
const MAX_DISTANCE = 6;

describe("the keys of photos", () => {
  let services: TestServices;
  let user: User;
  let near: Photo[];
  before(async () => {
    services = await createTestServices();
    [user, near] = [await services.newUser(), []];
    for (const filename of NAMES) await services.newPhoto(user, { filename });
    for (let bit = 0; bit < 64; bit++) {
      near.push(
        await services.newPhoto(user, { filename: "0", phash: turn(HASH, bit, MAX_DISTANCE) }),
      );
      await services.newPhoto(user, { filename: "0", phash: turn(HASH, bit, MAX_DISTANCE + 1) });
    }
    const stranger = await services.newUser();
    for (const filename of NAMES) await services.newPhoto(stranger, { filename, phash: HASH });
    await services.database.sql`
      insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
        storage_key, created_at)
      select uuidv7(interval '1 hour'), ${user.id}, '0', 'image/jpeg', 4, 3, 1, 'new' || i, 'k', now()
      from generate_series(1, ${NEWER_PHOTOS}) i`;
  });
  after(() => services.close());

  async function idsOf(filter: Partial<PhotoFilter>): Promise<string[]> {
    const { rows } = await createPhotoLibrary(services.database, services.photos).page({
      userId: user.id,
      filter: { ...ANY_PHOTO, ...filter },
      order: "UPLOADED",
      size: 100,
      backward: true,
      key: null,
    });
    return rows.map(({ id }) => id).toSorted();
  }

  it("lead to all photos whose name contains a text, whatever its length and characters", async () => {
    const parts = NAMES.flatMap((name) => {
      const letters = [...name.toLowerCase()];
      return [1, 2, 4, letters.length].flatMap((length) =>
        letters.map((_, from) => letters.slice(from, from + length).join("")),
      );
    });
    const { sql } = services.database;
    await sql`vacuum analyze photos`;
    for (const text of new Set([...TEXTS, ...parts])) {
      const expected = await sql<{ id: string }[]>`
        select id from photos where user_id = ${user.id}
          and strpos(lower(filename), lower(${text})) > 0 order by id`;
      assert.deepEqual(
        await idsOf({ filename: text }),
        expected.map(({ id }) => id),
        `the text ${text}`,
      );
    }
  });

  it("lead to all photos whose hash differs in up to six bits, wherever these are", async () => {
    const similarTo = { id: user.id, phash: BigInt.asIntN(64, HASH) };
    assert.deepEqual(await idsOf({ similarTo }), near.map(({ id }) => id).toSorted());
  });
});

/** Turns as many bits, from this one on and far apart. */
function turn(hash: bigint, bit: number, bits: number): bigint {
  let turned = hash;
  for (let i = 0; i < bits; i++) turned ^= 1n << BigInt((bit + i * 9) % 64);
  return BigInt.asIntN(64, turned);
}
