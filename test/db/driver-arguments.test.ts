import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { driverArguments } from "../../src/db/driver-arguments.js";

describe("the driver's arguments", () => {
  for (const [url, expected, host] of [
    ["postgres://u:p@db:5433/photos?sslmode=require", null, null],
    ["postgres://db/photos", null, null],
    ["postgres:///photos?host=/run/pg", "postgres://localhost/photos", "/run/pg"],
    [
      "postgres://u:p%40@x/a?host=/run&port=6&ssl=1",
      "postgres://u:p%40@localhost:6/a?ssl=1",
      "/run",
    ],
    ["postgresql://u@%2Frun%2Fpg:5433/photos", "postgres://u@localhost:5433/photos", "/run/pg"],
    ["postgres://db/photos?host=other", null, null],
  ] as const)
    it(`${host === null ? "leave" : "name the socket of"} ${url}`, () =>
      assert.deepEqual(driverArguments(url, { max: 1 }), [
        expected ?? url,
        host === null ? { max: 1 } : { max: 1, host },
      ]));
});
