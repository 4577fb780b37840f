// Duplicates in the whole service, from the upload to the result.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { scene } from "../../imaging/scene.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

interface Hashes {
  phash: string;
  duplicates: { photoId: string; distance: number }[];
}

describe("duplicates", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  async function upload(person: TestClient, bytes: Buffer): Promise<string> {
    const { status, json } = await person.upload(bytes);
    assert.equal(status, 201);
    return String(json["id"]);
  }

  async function run(
    person: TestClient,
    job: string,
    photoId: string,
    parameters = {},
  ): Promise<Record<string, unknown>> {
    const { status, result, error } = await person.finished(
      (await person.enqueue(job, parameters, { photoIds: [photoId] })).id,
      30_000,
    );
    assert.deepEqual([status, error], ["SUCCESS", null]);
    return result as Record<string, unknown>;
  }

  it("are found among the user's other photos only, without the photo itself", async () => {
    const [ann, bob] = await Promise.all([service.person(), service.person()]);
    const original = await sharp(await scene(21))
      .jpeg({ quality: 95 })
      .toBuffer();
    const [small, poor] = await Promise.all([
      sharp(original).resize(350).webp().toBuffer(),
      sharp(original).jpeg({ quality: 25 }).toBuffer(),
    ]);
    const [photo, copy, other] = [
      await upload(ann, original),
      await upload(ann, small),
      await upload(
        ann,
        await sharp(await scene(22))
          .jpeg()
          .toBuffer(),
      ),
    ];
    const [his, hisCopy] = [await upload(bob, original), await upload(bob, poor)];

    const hers = (await run(ann, "hash", photo)) as unknown as Hashes;
    assert.deepEqual(
      hers.duplicates.map(({ photoId }) => photoId),
      [copy],
    );
    assert.ok((hers.duplicates[0]?.distance ?? 64) <= 6);
    assert.deepEqual(
      ((await run(bob, "hash", his)) as unknown as Hashes).duplicates.map(({ photoId }) => photoId),
      [hisCopy],
    );
    assert.deepEqual(
      ((await run(ann, "hash", other, { maxDistance: 6 })) as unknown as Hashes).duplicates,
      [],
    );

    const [row] = await service.database.sql<
      { bits: string }[]
    >`select phash::bit(64)::text as bits from photos where id = ${photo}`;
    assert.equal(BigInt(`0b${row?.bits}`).toString(16).padStart(16, "0"), hers.phash);
    await service.database.sql`update photos set phash = -2 where id = ${photo}`;
    assert.equal(
      (await run(ann, "hash", photo))["phash"],
      "fffffffffffffffe",
      "the hash of the row is used",
    );
  });

  it("are part of the result of prepare, whose thumbnails are outputs", async () => {
    const person = await service.person();
    const original = await sharp(await scene(23, 1400, 1000))
      .jpeg()
      .toBuffer();
    const [photo, copy] = [
      await upload(person, original),
      await upload(person, await sharp(original).resize(300).jpeg().toBuffer()),
    ];
    const result = await run(person, "prepare", photo);
    assert.deepEqual(Object.keys(result).sort(), [
      "hash",
      "metadata",
      "palette",
      "placeholder",
      "thumbnail",
    ]);
    assert.deepEqual(
      (result["hash"] as Hashes).duplicates.map(({ photoId }) => photoId),
      [copy],
    );
    assert.equal((result["hash"] as Hashes).phash, (await run(person, "hash", photo))["phash"]);
    const { queuedJobs } = await person.get(
      "{ queuedJobs(first: 2) { nodes { job { name } outputs { name mimeType width " +
        "height url } } } }",
    );
    const outputs =
      (
        queuedJobs.nodes as {
          job: { name: string };
          outputs: { name: string; width: number; height: number; url: string }[];
        }[]
      ).find(({ job }) => job.name === "prepare")?.outputs ?? [];
    assert.deepEqual(
      outputs.map(({ name, width, height }) => [name, width, height]),
      [
        ["320w.webp", 320, 229],
        ["1024w.webp", 1024, 731],
      ],
    );
    const bytes = Buffer.from(
      await (await fetch(new URL(outputs[0]?.url ?? "", service.url))).arrayBuffer(),
    );
    assert.equal((await sharp(bytes).metadata()).width, 320);
  });
});
