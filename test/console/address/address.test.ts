import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ANY_PHOTO,
  formatAddress,
  HOME,
  isSearching,
  parseAddress,
  withSameParts,
  type Address,
} from "../../../src/console/address/address.js";
import { toPhotoFilter, withinDays } from "../../../src/console/address/photo-filter.js";

const ID = "01a22bb6-88f2-7396-9c3b-b6ce42c4eac7";

describe("the address of the page", () => {
  it("is read as it was written, for every part, and is short where nothing is set", () => {
    const full: Address = {
      view: "jobs",
      photo: ID,
      job: ID,
      group: ID,
      isComposing: true,
      newJob: "contact-sheet",
      photos: {
        text: "a & b=c, ü#",
        from: "2024-02-29",
        to: "2024-03-01",
        camera: "Canon EOS 40D",
        kind: "kept",
        like: ID,
        near: "-48.1372,11.5",
        order: "added",
      },
      jobs: { status: ["PENDING", "FAILED"], job: "thumbnail", text: "x y" },
    };
    assert.deepEqual(parseAddress(formatAddress(full).slice(1)), full);
    assert.equal(formatAddress(HOME), "/");
    assert.deepEqual(parseAddress(""), HOME);
  });

  it("ignores each part that is not valid", () => {
    const query =
      "?view=x&photo=1&job=../..&group=1&from=2024-13-01&to=today&kind=all&like=me&near=north&order=up" +
      "&state=lost,failed";
    assert.deepEqual(parseAddress(query), {
      ...HOME,
      jobs: { ...HOME.jobs, status: ["FAILED"] },
    });
  });

  it("ignores days that no calendar has, and places that no map has", () => {
    const { photos } = parseAddress("?from=2023-02-29&to=2024-02-29&near=91,0");
    assert.deepEqual(photos, { ...ANY_PHOTO, to: "2024-02-29" });
    assert.equal(parseAddress("?near=0,181").photos.near, "");
  });

  it("keeps the same objects for a search that has not changed", () => {
    const before = parseAddress("?q=sea&state=failed");
    const after = withSameParts(parseAddress(`?q=sea&photo=${ID}`), before);
    assert.equal(after.photos, before.photos);
    assert.notEqual(after.jobs, before.jobs);
    assert.equal(after.photo, ID);
  });

  it("counts the order not as a search", () => {
    assert.equal(isSearching({ ...ANY_PHOTO, order: "added" }), false);
    assert.equal(isSearching({ ...ANY_PHOTO, camera: "X" }), true);
  });
});

describe("the filter of photos", () => {
  it("includes the last day, across months and leap years", () => {
    assert.deepEqual(toPhotoFilter({ ...ANY_PHOTO, from: "2024-02-28", to: "2024-02-29" }), {
      takenAfter: "2024-02-28T00:00:00",
      takenBefore: "2024-03-01T00:00:00",
    });
    assert.deepEqual(withinDays({ camera: ["X"] }, "2023-12-31", "2023-12-30"), {
      camera: ["X"],
      takenAfter: "2023-12-30T00:00:00",
      takenBefore: "2024-01-01T00:00:00",
    });
  });

  it("draws a square around a place, also across the date line and at a pole", () => {
    const around = (near: string) => toPhotoFilter({ ...ANY_PHOTO, near }).within;
    const { south = 0, west = 0, north = 0, east = 0 } = around("0,179.95") ?? {};
    assert.deepEqual([south, north], [-0.1, 0.1]);
    assert.ok(west > 179 && east < -179, `${west} to ${east}`);
    assert.equal(around("90,0")?.north, 90);
  });
});
