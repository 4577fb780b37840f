import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Photo } from "../../../src/services/photos/photos.js";
import {
  ANY_PHOTO,
  type PhotoFilter,
  type PhotoOrder,
} from "../../../src/services/reads/photo-filter.js";
import {
  createPhotoLibrary,
  photoKey,
  type PhotoLibrary,
} from "../../../src/services/reads/photo-library.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const NONE = () => false;
const lon = ({ longitude }: Photo) => longitude ?? 0;

describe("the photo library", () => {
  let services: TestServices;
  let library: PhotoLibrary;
  let user: User;
  let photos: Photo[];
  before(async () => {
    services = await createTestServices();
    library = createPhotoLibrary(services.database, services.photos);
    [user, photos] = [await services.newUser(), []];
    const stranger = await services.newUser();
    for (let i = 0; i < 60; i++) {
      await services.newPhoto(stranger, valuesOf(i));
      photos.push(await services.newPhoto(user, valuesOf(i)));
    }
    photos = (await services.photos.findMany(photos.map(({ id }) => id))).filter((p) => p !== null);
  });
  after(() => services.close());

  const filters: [string, Partial<PhotoFilter>, (photo: Photo) => boolean][] = [
    ["no filter", {}, () => true],
    ["a time", { takenAfter: "2024-01-05T00:00:00" }, (p) => (p.takenAt ?? "") >= "2024-01-05"],
    [
      "a span",
      { takenAfter: "2024-01-03T10:00:00", takenBefore: "2024-01-06T10:00:00" },
      (p) => p.takenAt !== null && p.takenAt >= "2024-01-03 10" && p.takenAt < "2024-01-06 10",
    ],
    [
      "a time before",
      { takenBefore: "2024-01-03T10:00:00" },
      (p) => p.takenAt !== null && p.takenAt < "2024-01-03 10",
    ],
    ["an empty span", { takenAfter: "2024-01-09T00:00", takenBefore: "2024-01-01T00:00" }, NONE],
    [
      "a box",
      { within: { south: 0, west: 10, north: 30, east: 40 } },
      (p) =>
        p.latitude !== null && p.latitude >= 0 && p.latitude <= 30 && lon(p) >= 10 && lon(p) <= 40,
    ],
    [
      "a box over the date line",
      { within: { south: -90, west: 170, north: 90, east: -170 } },
      (p) => p.latitude !== null && (lon(p) >= 170 || lon(p) <= -170),
    ],
    ["cameras", { cameras: ["Canon", "None"] }, (p) => p.camera === "Canon"],
    ["no camera", { cameras: [] }, NONE],
    ["a name", { filename: "bEaCh" }, (p) => p.filename.includes("Beach")],
    ["a name beyond ASCII", { filename: "CAFÉ" }, (p) => p.filename.includes("café")],
    ["wildcards in a name", { filename: "%" }, (p) => p.filename.includes("%")],
    ["damaged photos", { damaged: true }, (p) => p.damaged !== null],
    ["sound photos", { damaged: false }, (p) => p.damaged === null],
    ["kept outputs", { kept: true }, (p) => p.madeBy !== null],
    ["uploads", { kept: false }, (p) => p.madeBy === null],
    [
      "several conditions",
      { cameras: ["Canon"], filename: "beach", takenAfter: "2024-01-02T00:00:00", damaged: false },
      (p) =>
        p.camera === "Canon" &&
        p.filename.includes("Beach") &&
        (p.takenAt ?? "") >= "2024-01-02" &&
        p.damaged === null,
    ],
  ];

  /** All ids, page by page. */
  async function walk(
    filter: PhotoFilter,
    order: PhotoOrder,
    { backward, size }: { backward: boolean; size: number },
  ): Promise<string[]> {
    let ids: string[] = [];
    for (let key: string | null = null; ;) {
      const page = await library.page({ userId: user.id, filter, order, size, backward, key });
      const found = page.rows.map(({ id }) => id);
      ids = backward ? [...found, ...ids] : [...ids, ...found];
      assert.equal(backward ? page.hasNext : page.hasPrevious, key !== null && ids.length > 0);
      const edge = backward ? page.rows[0] : page.rows.at(-1);
      if (!(backward ? page.hasPrevious : page.hasNext) || !edge) return ids;
      key = photoKey(order, edge);
    }
  }

  for (const order of ["UPLOADED", "TAKEN"] as const) {
    for (const [name, conditions, matches] of filters) {
      it(`returns what matches ${name}, in both directions of the order ${order}`, async () => {
        const filter = { ...ANY_PHOTO, ...conditions };
        const expected = sort(photos.filter(matches), order).map(({ id }) => id);
        for (const backward of [false, true])
          assert.deepEqual(await walk(filter, order, { backward, size: 7 }), expected);
        assert.equal(
          await library.count({ userId: user.id, filter, order }, 50),
          Math.min(50, expected.length),
        );
      });
    }
  }

  it("finds photos that resemble another, without that one", async () => {
    const [one, near, far] = [photos[3], photos[4], photos[40]];
    assert.ok(one && near && far);
    const filter = { ...ANY_PHOTO, similarTo: { id: one.id, phash: one.phash } };
    const ids = await walk(filter, "UPLOADED", { backward: false, size: 100 });
    assert.deepEqual(
      [ids.includes(one.id), ids.includes(near.id), ids.includes(far.id)],
      [false, true, false],
    );
    const flat = { ...ANY_PHOTO, similarTo: { id: one.id, phash: null } };
    assert.deepEqual(await walk(flat, "TAKEN", { backward: false, size: 5 }), []);
  });

  it("counts the photos of each day, newest first, and those without a time last", async () => {
    const counts = new Map<string | null, number>();
    for (const { takenAt } of sort(photos, "TAKEN")) {
      const day = takenAt?.slice(0, 10) ?? null;
      counts.set(day, (counts.get(day) ?? 0) + 1);
    }
    assert.deepEqual(
      [...(await library.days({ userId: user.id, filter: ANY_PHOTO }, 1000))],
      [...counts].map(([day, count]) => ({ day, count })),
    );
  });

  it("has an empty page with the position of the events", async () => {
    const nobody = await services.newUser();
    await services.finished(nobody);
    const query = {
      userId: nobody.id,
      filter: ANY_PHOTO,
      order: "TAKEN",
      size: 5,
      backward: false,
    } as const;
    assert.deepEqual(await library.page({ ...query, key: null }), {
      rows: [],
      hasNext: false,
      hasPrevious: false,
      lastSeq: 3,
    });
  });
});

function sort(photos: readonly Photo[], order: PhotoOrder): Photo[] {
  const key = ({ id, takenAt }: Photo) => (order === "TAKEN" ? `${takenAt ?? ""} ${id}` : id);
  return photos.toSorted((a, b) => (key(a) < key(b) ? 1 : -1));
}

/** Values with ties, gaps and both sides of the date line. */
function valuesOf(i: number) {
  const place = i % 3 === 0 ? null : { latitude: (i * 7) % 60, longitude: ((i * 31) % 360) - 180 };
  return {
    filename: ["Beach 1.jpg", "le café.png", "100%.jpg", "a\\b_.heic"][i % 4] ?? "",
    takenAt: i % 5 === 0 ? null : `2024-01-0${1 + (i % 7)} ${i % 2 ? "10" : "11"}:00:00`,
    latitude: place?.latitude ?? null,
    longitude: place?.longitude ?? null,
    camera: ["Canon", "Nikon", null][i % 3] ?? null,
    damaged: i % 11 === 0 ? "It is cut off." : null,
    madeBy: i % 13 === 0 ? "01900000-0000-7000-8000-000000000000" : null,
    phash: i < 10 ? BigInt(i) : -BigInt(i) * 1_234_567_891_234n,
  };
}
