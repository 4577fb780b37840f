import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { createNearPhotos, type NearPhotos } from "../../../src/services/reads/near-photos.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

describe("near photos", () => {
  let services: TestServices;
  let nearPhotos: NearPhotos;
  before(async () => {
    services = await createTestServices();
    nearPhotos = createNearPhotos(services.database);
  });
  after(() => services.close());

  const find = (user: User, phash: string, maxDistance: number, exceptIds: string[] = []) =>
    nearPhotos.find({ userId: user.id, phash, maxDistance, exceptIds });
  /** Adds a photo whose hash has these 64 bits, as the column stores them. */
  const add = async (user: User, phash: bigint | null) =>
    (await services.newPhoto(user, { phash })).id;

  it("are sorted by the number of different bits, and at equal distance oldest first", async () => {
    const user = await services.newUser();
    const [three, one, alike, seven, other] = [
      await add(user, 0b111n),
      await add(user, 0b1000n),
      await add(user, 0n),
      await add(user, 0b1111111n),
      await add(user, 0b10000n),
    ];
    const { photos, cut } = await find(user, "0000000000000000", 6);
    assert.deepEqual(
      photos,
      [
        [alike, 0],
        [one, 1],
        [other, 1],
        [three, 3],
      ].map(([photoId, distance]) => ({ photoId, distance })),
    );
    assert.equal(cut, false);
    assert.deepEqual((await find(user, "0000000000000000", 7)).photos.at(-1), {
      photoId: seven,
      distance: 7,
    });
    assert.deepEqual((await find(user, "0000000000000000", 0)).photos, [
      { photoId: alike, distance: 0 },
    ]);
  });

  it("are compared in all 64 bits, including the sign", async () => {
    const user = await services.newUser();
    const [ones, lowest, highest] = [
      await add(user, -1n),
      await add(user, -(2n ** 63n)),
      await add(user, 2n ** 63n - 1n),
    ];
    const distances = async (phash: string) =>
      Object.fromEntries(
        (await find(user, phash, 64)).photos.map(({ photoId, distance }) => [photoId, distance]),
      );
    assert.deepEqual(await distances("ffffffffffffffff"), {
      [ones]: 0,
      [highest]: 1,
      [lowest]: 63,
    });
    assert.deepEqual(await distances("8000000000000000"), {
      [lowest]: 0,
      [ones]: 63,
      [highest]: 64,
    });
  });

  it("exclude the given ids, photos without a hash, and photos of other users", async () => {
    const [user, other] = [await services.newUser(), await services.newUser()];
    const [own, kept] = [await add(user, 5n), await add(user, 5n)];
    await add(user, null);
    await add(other, 5n);
    assert.deepEqual((await find(user, "0000000000000005", 64, [own])).photos, [
      { photoId: kept, distance: 0 },
    ]);
    assert.deepEqual((await find(await services.newUser(), "0000000000000005", 64)).photos, []);
  });

  it("are limited to a hundred, and the answer shows that more exist", async () => {
    const user = await services.newUser();
    await services.database.sql`
      insert into photos (id, user_id, filename, mime_type, width, height, byte_size, sha256,
        storage_key, phash, created_at)
      select gen_random_uuid(), ${user.id}, 'a', 'image/jpeg', 1, 1, 1, 'near-' || n, 'k', 3, now()
        from generate_series(1, 100) n`;
    assert.deepEqual(
      [
        (await find(user, "0000000000000003", 0)).photos.length,
        (await find(user, "0000000000000003", 0)).cut,
      ],
      [100, false],
    );
    const nearest = await add(user, 2n);
    const { photos, cut } = await find(user, "0000000000000002", 1);
    assert.deepEqual(
      [photos.length, photos[0], cut],
      [100, { photoId: nearest, distance: 0 }, true],
    );
  });

  it("are empty for an unknown user", async () => {
    assert.deepEqual(
      await nearPhotos.find({
        userId: uuidv7(),
        phash: "0000000000000000",
        maxDistance: 64,
        exceptIds: [],
      }),
      { photos: [], cut: false },
    );
  });
});
