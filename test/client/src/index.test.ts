// The size that the package adds to a page, bundled and compressed as by a user's bundler.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";

const KILOBYTE = 1000;

/** Bytes after minification and gzip, and the code. */
async function bundle(
  source: string,
  external: string[],
): Promise<{ bytes: number; code: string }> {
  const root = mkdtempSync(join(tmpdir(), "photo-service-size-"));
  try {
    writeFileSync(join(root, "main.js"), source);
    const output = (await build({
      configFile: false,
      root,
      logLevel: "error",
      resolve: {
        alias: { "graphql-ws/client": resolve("node_modules/graphql-ws/dist/client.js") },
      },
      build: {
        write: false,
        minify: true,
        target: "es2022",
        // Not a library build, which keeps white space.
        rollupOptions: {
          input: join(root, "main.js"),
          external,
          preserveEntrySignatures: "strict",
        },
      },
    })) as Rolldown.RolldownOutput;
    const code = output.output.map((part) => (part.type === "chunk" ? part.code : "")).join("");
    return { bytes: gzipSync(code, { level: 9 }).length, code };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe("the size of the package", () => {
  const core =
    "export { createPhotoService, PhotoServiceError } from " +
    `${JSON.stringify(resolve("client/src/index.ts"))};`;
  const react =
    "export { PhotoServiceProvider, useJob, useJobs, usePhotoJob, usePhotos, useUpload } from " +
    `${JSON.stringify(resolve("client/src/react/index.ts"))};`;
  const groups =
    `export * from ${JSON.stringify(resolve("client/src/groups/index.ts"))};` +
    `export { useGroup } from ${JSON.stringify(resolve("client/src/react/index.ts"))};`;

  it("is at most 6 kB, 10 kB with graphql-ws, and 2.2 kB more with hooks or groups", async (t) => {
    const alone = await bundle(core, ["graphql-ws/client"]);
    const whole = await bundle(core, []);
    const hooks = await bundle(core + react, ["react"]);
    const all = await bundle(core + react + groups, ["react"]);
    const more = [hooks.bytes - whole.bytes, all.bytes - hooks.bytes];
    t.diagnostic(`${alone.bytes}, ${whole.bytes}, ${more.join(", ")} bytes`);
    assert.ok(alone.bytes <= 6 * KILOBYTE, `${alone.bytes} bytes`);
    assert.ok(whole.bytes <= 10 * KILOBYTE, `${whole.bytes} bytes`);
    assert.ok(Math.max(...more) <= 2.2 * KILOBYTE, `${more.join(", ")} bytes`);
    assert.doesNotMatch(whole.code, /GraphQLSchema|node:/, "neither graphql-js nor Node.js");
  });
});
