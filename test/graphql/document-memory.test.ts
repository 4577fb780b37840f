import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "graphql";
import { MAX_KEPT_BYTES, memoryOf } from "../../src/graphql/document-memory.js";

describe("the memory of a document", () => {
  it("is counted by its tokens, of which a short text may have thousands", () => {
    const [few, many] = [
      memoryOf(parse("{ me { id } }")),
      memoryOf(parse(`{ me { ${"a ".repeat(1990)} } }`)),
    ];
    assert.ok(few < 6000, `${few} bytes`);
    assert.ok(many > MAX_KEPT_BYTES / 40 && many < MAX_KEPT_BYTES / 20, `${many} bytes`);
  });

  it("is at least that of its text, which may be one long comment", () => {
    assert.ok(memoryOf(parse(`{ me { id } } # ${"x".repeat(200_000)}`)) > 200_000);
  });

  it("is something, also where a document does not say where it comes from", () => {
    assert.equal(memoryOf(parse("{ me { id } }", { noLocation: true })), 1);
  });
});
