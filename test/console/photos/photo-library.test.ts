import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPhotoLibrary } from "../../../src/console/photos/photo-library.js";
import type { Photo } from "../../../src/console/types.js";

const photo = (id: string) => ({ id }) as Photo;
const page = (ids: string[], hasNextPage = false) => ({
  nodes: ids.map(photo),
  pageInfo: { hasNextPage, endCursor: `after ${ids.at(-1)}` },
  totalCount: 9,
});

describe("the photo library of the page", () => {
  function open(
    answer: (variables: object) => unknown = () => assert.fail("the library must not read"),
  ) {
    const requests: object[] = [];
    const library = createPhotoLibrary(
      async (_query, variables = {}) => (
        requests.push(variables),
        (await answer(variables)) as never
      ),
      page(["c", "b", "a"], true),
    );
    return { library, requests };
  }

  it("selects photos in the order of the clicks, and a second click deselects a photo", () => {
    const { library } = open();
    for (const id of ["b", "c", "a"]) library.toggle(id);
    assert.deepEqual(library.chosen.value, ["b", "c", "a"]);
    library.toggle("c");
    assert.deepEqual(library.chosen.value, ["b", "a"]);
    library.chooseAll();
    assert.deepEqual(library.chosen.value, ["c", "b", "a"]);
    library.chooseNone();
    assert.deepEqual(library.chosen.value, []);
  });

  it("puts an uploaded photo in front and selects it, also when it is already listed", () => {
    const { library } = open();
    for (const id of ["d", "a", "a"]) library.add(photo(id));
    assert.deepEqual(
      library.photos.value.map(({ id }) => id),
      ["a", "d", "c", "b"],
    );
    assert.deepEqual(library.chosen.value, ["d", "a"]);
  });

  it("continues after the last page, and lists each photo once", async () => {
    const { library, requests } = open(() => ({ photos: page(["a", "z"]) }));
    assert.equal(library.hasMore.value, true);
    await library.readMore();
    assert.deepEqual(
      [library.photos.value.map(({ id }) => id), library.hasMore.value, requests],
      [["c", "b", "a", "z"], false, [{ after: "after a" }]],
    );
  });

  it("removes deleted photos; a photo whose deletion is refused stays selected", async () => {
    const { library, requests } = open((variables) =>
      "id" in variables && variables.id === "a" ? Promise.reject(new Error("in use")) : {},
    );
    for (const id of ["b", "a", "c"]) library.toggle(id);
    await assert.rejects(library.deleteChosen(), /in use/);
    assert.deepEqual(
      [library.photos.value.map(({ id }) => id), library.chosen.value, requests],
      [
        ["c", "a"],
        ["a", "c"],
        [{ id: "b" }, { id: "a" }],
      ],
    );
  });
});
