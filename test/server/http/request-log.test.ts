import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { requestIdOf } from "../../../src/server/http/request-log.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const idFor = (id: string | string[] | undefined) =>
  requestIdOf({ headers: { "x-request-id": id } });

describe("the request id", () => {
  for (const id of [
    "a",
    "req-1",
    "0198f3a0-0000-7000-8000-000000000000",
    "Root:1.2:3_4-5",
    "x".repeat(128),
  ]) {
    it(`is the value of the header: ${id.slice(0, 40)}`, () => assert.equal(idFor(id), id));
  }
  for (const id of [
    undefined,
    "",
    "x".repeat(129),
    "a b",
    "a\nb",
    "a\tb",
    '{"a":1}',
    "ü",
    "<b>",
    "a\u0000",
    ["a", "b"],
  ]) {
    it(`is new for the header ${JSON.stringify(id)?.slice(0, 40)}`, () => {
      assert.match(idFor(id), UUID);
      assert.notEqual(idFor(id), idFor(id));
    });
  }
});
