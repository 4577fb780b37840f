import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { signal } from "@preact/signals";
import { ANY_PHOTO, type PhotoSearch } from "../../../src/console/address/address.js";
import { planChunks } from "../../../src/console/library/chunks.js";
import { createPhotoLibrary } from "../../../src/console/library/library.js";
import type { Photo } from "../../../src/console/types.js";
import { eventually } from "../../support/runner/eventually.js";

interface Variables {
  filter: { takenAfter?: string; takenBefore?: string; filename?: string };
  orderBy?: string;
  first?: number;
  after?: string | null;
  last?: number;
  before?: string | null;
}

const photo = (id: string, takenAt: string | null, more: Partial<Photo> = {}): Photo => ({
  ...({ filename: `${id}.jpg`, camera: null, location: null, damaged: null } as Photo),
  madeBy: null,
  id,
  takenAt,
  ...more,
});

/** Answers as the API does, from photos that the test may change. */
function open(t: TestContext, photos: Photo[], counting?: Promise<void>) {
  const search = signal<PhotoSearch>(ANY_PHOTO);
  const asked: Variables[] = [];
  const matching = ({ takenAfter = "", takenBefore = "~", filename = "" }: Variables["filter"]) =>
    photos.filter(
      ({ takenAt, filename: name }) =>
        (takenAfter === "" || (takenAt !== null && takenAt >= takenAfter)) &&
        (takenBefore === "~" || (takenAt !== null && takenAt < takenBefore)) &&
        name.includes(filename),
    );
  const key = ({ takenAt, id }: Photo) => `${takenAt ?? ""} ${id}`;
  function answer(query: string, variables: Variables): unknown {
    const found = matching(variables.filter);
    if (query.includes("photosByDay")) {
      const day = ({ takenAt }: Photo) => takenAt?.slice(0, 10) ?? null;
      const counts = [...new Set(found.map(day))].map((one) => ({
        day: one,
        count: found.filter((candidate) => day(candidate) === one).length,
      }));
      return { photosByDay: counts.sort((a, b) => ((a.day ?? "") < (b.day ?? "") ? 1 : -1)) };
    }
    asked.push(variables);
    const order = variables.orderBy === "TAKEN" ? key : ({ id }: Photo) => id;
    const sorted = found.sort((a, b) => (order(a) < order(b) ? 1 : -1));
    const start = variables.last
      ? Math.max(0, Number(variables.before ?? sorted.length) - variables.last)
      : Number(variables.after ?? 0);
    const end = variables.last
      ? Number(variables.before ?? sorted.length)
      : Math.min(sorted.length, start + (variables.first ?? 0));
    const pageInfo = {
      hasNextPage: end < sorted.length,
      hasPreviousPage: start > 0,
      startCursor: String(start),
      endCursor: String(end),
    };
    return { photos: { nodes: sorted.slice(start, end), pageInfo } };
  }
  const library = createPhotoLibrary(async (query, variables) => {
    if (query.includes("photosByDay")) await counting;
    return answer(query, variables as Variables) as never;
  }, search);
  t.after(() => library.close());
  const isCounted = () => eventually("it is counted", () => library.isCounted.value);
  return { library, search, asked, isCounted };
}

const many = (count: number, takenAt: string | null, prefix = "p") =>
  Array.from({ length: count }, (_, i) => photo(`${prefix}${String(i).padStart(4, "0")}`, takenAt));

describe("the photo library of the page", () => {
  it("plans chunks of neighbouring days up to a page, and long ones alone", () => {
    const heads = [40, 60, 1, 300, 5, 5].map((count, i) => ({ key: `day ${i}`, count }));
    assert.deepEqual(planChunks([...heads, { key: "undated", count: 5 }]), [
      ["day 0", "day 1"],
      ["day 2"],
      ["day 3"],
      ["day 4", "day 5"],
      ["undated"],
    ]);
  });

  it("counts all days at once, and reads neighbouring days with one request", async (t) => {
    const photos = [...many(3, "2024-05-02T10:00:00"), ...many(2, "2024-05-01T10:00:00", "q")];
    const { library, asked, isCounted } = open(t, photos);
    await isCounted();
    assert.deepEqual(library.heads.value, [
      { key: "2024-05-02", count: 3 },
      { key: "2024-05-01", count: 2 },
    ]);
    assert.equal((await library.load({ index: 1, position: 0 }))?.id, "q0001");
    assert.equal(library.at({ index: 0, position: 0 })?.id, "p0002");
    assert.deepEqual(
      asked.map(({ filter }) => filter.takenBefore),
      [undefined, "2024-05-03T00:00:00"],
    );
  });

  it("shows the newest photos before all are counted", async (t) => {
    let counted = () => {};
    const counting = new Promise<void>((resolve) => {
      counted = resolve;
    });
    const photos = [...many(40, "2024-05-02T10:00:00"), ...many(30, "2024-05-01T10:00:00", "q")];
    const { library, isCounted } = open(t, photos, counting);
    await eventually("a photo is there", () => library.at({ index: 0, position: 0 }));
    assert.deepEqual(
      [library.heads.value.map(({ count }) => count), library.isCounted.value],
      [[40, 10], false],
    );
    counted();
    await isCounted();
    assert.equal(library.at({ index: 0, position: 0 })?.id, "p0039");
    assert.equal((await library.load({ index: 1, position: 29 }))?.id, "q0000");
    assert.equal(library.total.value, 70);
  });

  it("reads a long day page by page, only as far as it is looked at", async (t) => {
    const { library, asked, isCounted } = open(t, many(450, "2024-05-02T10:00:00"));
    await isCounted();
    library.want([{ index: 0, position: 120 }]);
    await eventually("the photo is there", () => library.at({ index: 0, position: 120 }));
    assert.equal(asked.length, 3);
  });

  it("reads photos without a date from their end, beside those with one", async (t) => {
    const photos = [...many(150, null, "u"), photo("d", "2024-05-02T10:00:00")];
    const { library, isCounted } = open(t, photos);
    await isCounted();
    assert.equal((await library.load({ index: 1, position: 149 }))?.id, "u0000");
    assert.equal((await library.load({ index: 1, position: 0 }))?.id, "u0149");
    assert.equal(library.at({ index: 1, position: 75 })?.id, "u0074");
  });

  it("shows an added photo at its place, and takes a deleted one away", async (t) => {
    const photos = many(3, "2024-05-02T10:00:00");
    const { library, isCounted } = open(t, photos);
    await isCounted();
    await library.load({ index: 0, position: 0 });
    const added = photo("new", "2024-05-03T08:00:00");
    photos.push(added);
    library.apply({ cursor: "1", type: "ADDED", photo: added });
    assert.equal(library.at({ index: 0, position: 0 })?.id, "new");
    assert.equal(library.total.value, 4);
    const [gone] = photos.splice(0, 1) as [Photo];
    library.apply({ cursor: "2", type: "DELETED", photo: gone });
    assert.deepEqual(
      library.heads.value.map(({ count }) => count),
      [1, 2],
    );
    assert.equal(library.get(gone.id), undefined);
  });

  it("corrects a count that an event has changed twice", async (t) => {
    const photos = many(150, "2024-05-02T10:00:00");
    const { library, isCounted } = open(t, photos);
    await isCounted();
    // The photo was counted already when its event arrived, and is on a page that was not read.
    library.apply({ cursor: "1", type: "ADDED", photo: photos[0] as Photo });
    assert.equal(library.total.value, 151);
    await eventually("the count is right", () => library.total.value === 150);
  });

  it("moves a photo to its day when its metadata is read later", async (t) => {
    const photos = [photo("a", "2024-05-02T10:00:00"), photo("b", null)];
    const { library, isCounted } = open(t, photos);
    await isCounted();
    await library.load({ index: 1, position: 0 });
    const read = photo("b", "2024-05-02T11:00:00");
    photos[1] = read;
    library.apply({ cursor: "1", type: "PREVIEWED", photo: read });
    assert.equal(library.total.value, 2);
    await eventually("it is there", () => library.heads.value[0]?.count === 2);
  });

  it("searches again when the search changes, and ignores events that do not match", async (t) => {
    const { library, search, isCounted } = open(t, many(3, "2024-05-02T10:00:00"));
    await isCounted();
    search.value = { ...ANY_PHOTO, text: "p0001" };
    await eventually("one is found", () => library.total.value === 1);
    library.apply({ cursor: "1", type: "ADDED", photo: photo("other", "2024-05-02T10:00:00") });
    assert.equal(library.total.value, 1);
  });
});
