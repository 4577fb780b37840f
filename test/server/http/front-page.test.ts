import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import Fastify, { type InjectOptions } from "fastify";
import { registerFrontPage } from "../../../src/server/http/front-page.js";

async function get(path: string | InjectOptions, options: Parameters<typeof registerFrontPage>[1]) {
  const app = Fastify();
  await registerFrontPage(app, options);
  const response = await app.inject(path);
  await app.close();
  return response;
}

describe("the front page", () => {
  it("has a policy without foreign resources, inline scripts and frames", async () => {
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
  });

  it("leads to another page where one is configured, and then has no console", async () => {
    const options = { path: "/admin/db", pictureOrigins: [] };
    const { statusCode, headers } = await get("/", options);
    assert.deepEqual([statusCode, headers["location"]], [302, "/admin/db"]);
    assert.equal((await get("/console/icon.svg", options)).statusCode, 404);
  });

  it("allows images from the storage", async () => {
    const { headers } = await get("/", {
      pictureOrigins: ["https://bucket.s3.example", "https://photos.example"],
    });
    assert.match(
      String(headers["content-security-policy"]),
      /img-src 'self' data: blob: https:\/\/bucket\.s3\.example https:\/\/photos\.example;/,
    );
  });

  it("sends scripts compressed to clients that accept it", async () => {
    const { body } = await get("/", { pictureOrigins: [] });
    const [url = ""] = /\/console\/assets\/[^"]+\.js/.exec(body) ?? [];
    const sizes: number[] = [];
    for (const encoding of ["br", "gzip", "identity"]) {
      const headers = { "accept-encoding": encoding };
      const response = await get({ url, headers }, { pictureOrigins: [] });
      assert.equal(response.headers["content-encoding"] ?? "identity", encoding);
      assert.match(String(response.headers["vary"]), /accept-encoding/i);
      assert.match(String(response.headers["content-type"]), /javascript/);
      sizes.push(response.rawPayload.length);
    }
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    );
  });

  it("lets browsers cache files with a hash in their name", async () => {
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

  it("explains how to build it when it was not built", async () => {
    const folder = await mkdtemp(join(tmpdir(), "photo-service-console-"));
    const { statusCode, body } = await get("/", { pictureOrigins: [], folder });
    await rm(folder, { recursive: true });
    assert.deepEqual(
      [statusCode, body],
      [200, "The page has not been built: run `npm run build`. The API is at /graphql.\n"],
    );
  });
});
