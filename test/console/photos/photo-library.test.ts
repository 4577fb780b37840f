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

describe("the photos of the page", () => {
  function open(answer: (variables: object) => unknown = () => assert.fail("nothing is asked")) {
    const asked: object[] = [];
    const library = createPhotoLibrary(
      async (_query, variables = {}) => (asked.push(variables), (await answer(variables)) as never),
      page(["c", "b", "a"], true),
    );
    return { library, asked };
  }

  it("are chosen one by one in the order of the clicks, and a second click takes one out again", () => {
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

  it(
    "begin with one that was just uploaded, which is chosen; one that is there already " +
      "moves to the front",
    () => {
      const { library } = open();
      for (const id of ["d", "a", "a"]) library.add(photo(id));
      assert.deepEqual(
        library.photos.value.map(({ id }) => id),
        ["a", "d", "c", "b"],
      );
      assert.deepEqual(library.chosen.value, ["d", "a"]);
    },
  );

  it("go on where the last page ended, each once", async () => {
    const { library, asked } = open(() => ({ photos: page(["a", "z"]) }));
    assert.equal(library.hasMore.value, true);
    await library.readMore();
    assert.deepEqual(
      [library.photos.value.map(({ id }) => id), library.hasMore.value, asked],
      [["c", "b", "a", "z"], false, [{ after: "after a" }]],
    );
  });

  it("are gone once they are deleted; what is refused stays chosen", async () => {
    const { library, asked } = open((variables) =>
      "id" in variables && variables.id === "a" ? Promise.reject(new Error("in use")) : {},
    );
    for (const id of ["b", "a", "c"]) library.toggle(id);
    await assert.rejects(library.deleteChosen(), /in use/);
    assert.deepEqual(
      [library.photos.value.map(({ id }) => id), library.chosen.value, asked],
      [
        ["c", "a"],
        ["a", "c"],
        [{ id: "b" }, { id: "a" }],
      ],
    );
  });
});
