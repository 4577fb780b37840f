import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildClientSchema, buildSchema, printSchema, type IntrospectionQuery } from "graphql";
import { runBin } from "../support/processes/run-bin.js";

describe("the schema that the build writes", () => {
  it("is the same as SDL and as introspection, and has the types of the Jobs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "schema-"));
    const { code, stderr } = await runBin("build-schema", { cwd: folder });
    assert.deepEqual([code, stderr], [0, ""]);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const sdl = printSchema(buildSchema(read("schema.graphql")));
    const introspection = JSON.parse(read("schema.json")) as IntrospectionQuery;
    assert.equal(printSchema(buildClientSchema(introspection)), sdl);
    assert.match(sdl, /^union JobResult = /m);
    rmSync(folder, { recursive: true });
  });
});
