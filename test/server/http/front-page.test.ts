import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import Fastify from "fastify";
import { registerFrontPage } from "../../../src/server/http/front-page.js";

async function get(path: string, options: Parameters<typeof registerFrontPage>[1]) {
  const app = Fastify();
  await registerFrontPage(app, options);
  const response = await app.inject(path);
  await app.close();
  return response;
}

describe("the front page", () => {
  it(
    "lets nothing in that is not of this host, nor any script or style that stands in the " +
      "page, and is framed by nobody",
    async () => {
      const { statusCode, headers, body } = await get("/", { pictureOrigins: [] });
      assert.equal(statusCode, 200);
      assert.equal(
        headers["content-security-policy"],
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri " +
          "'none'; form-action 'self'; frame-ancestors 'none'",
      );
      assert.equal(headers["content-type"], "text/html; charset=utf-8");
      assert.equal(headers["cache-control"], "no-cache");
      const places = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, place = ""]) => place);
      assert.ok(places.length >= 3, body);
      assert.deepEqual(
        places.filter((place) => !place.startsWith("/console/")),
        [],
      );
    },
  );

  it("shows pictures from where the storage keeps them", async () => {
    const { headers } = await get("/", {
      pictureOrigins: ["https://bucket.s3.example", "https://photos.example"],
    });
    assert.match(
      String(headers["content-security-policy"]),
      /img-src 'self' data: blob: https:\/\/bucket\.s3\.example https:\/\/photos\.example;/,
    );
  });

  it("has its parts kept by browsers as long as their names have a hash in them", async () => {
    const { body } = await get("/", { pictureOrigins: [] });
    const [script = ""] = /\/console\/assets\/[^"]+\.js/.exec(body) ?? [];
    assert.equal(
      (await get(script, { pictureOrigins: [] })).headers["cache-control"],
      "public, max-age=31536000, immutable",
    );
    assert.equal(
      (await get("/console/icon.svg", { pictureOrigins: [] })).headers["cache-control"],
      "no-cache",
    );
    assert.equal(
      (await get("/console/../../package.json", { pictureOrigins: [] })).statusCode,
      404,
    );
  });

  it("says what to do where it was not built", async () => {
    const folder = await mkdtemp(join(tmpdir(), "photo-service-console-"));
    const { statusCode, body } = await get("/", { pictureOrigins: [], folder });
    await rm(folder, { recursive: true });
    assert.deepEqual(
      [statusCode, body],
      [200, "The page has not been built: npm run build makes it. The API is at /graphql.\n"],
    );
  });
});
