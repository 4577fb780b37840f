// The whole service on S3: upload, task, files by presigned URLs, deletion and sweep.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createStorage } from "../../../src/app/create-core.js";
import { parseConfig } from "../../../src/runtime/config.js";
import type { Storage } from "../../../src/photos/storage.js";
import { createLostFiles } from "../../../src/services/maintenance/lost-files.js";
import { createFileSweep } from "../../../src/services/maintenance/sweep-files.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { createTcpProxy, type TcpProxy } from "../../support/stores/tcp-proxy.js";
import { eventually } from "../../support/runner/eventually.js";
import { startS3Server, type S3Server } from "../../support/stores/s3-server.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { storedFiles } from "../../support/service/stored-files.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

describe("the service on S3", () => {
  const folder = temporaryFolder().path;
  let server: S3Server;
  let proxy: TcpProxy;
  let service: TestService;
  let storage: Storage;
  before(async () => {
    server = await startS3Server();
    proxy = await createTcpProxy(server.endpoint);
    const env = {
      STORAGE_URL: `s3://${server.bucket}/pre/fix/`,
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "hunter2-secret",
    };
    storage = await createStorage(
      {
        ...parseConfig({ ...env, AWS_ENDPOINT_URL: server.endpoint }, ["storage"]),
        dataFolder: folder,
      },
      silentLog,
    );
    service = await startTestService({ env: { ...env, AWS_ENDPOINT_URL: proxy.url } });
  });
  after(async () => {
    await service.close();
    await proxy.close();
    await server.close();
  });

  async function keys(): Promise<string[]> {
    const names: string[] = [];
    for await (const { key } of storage.list()) if (key !== "owner") names.push(key);
    return names.toSorted();
  }
  const fetchBytes = async (url: unknown) =>
    Buffer.from(await (await fetch(String(url))).arrayBuffer());
  const outputsOf = async (person: Awaited<ReturnType<TestService["person"]>>, id: string) =>
    (
      await person.get(
        "query ($id: ID!) { queuedJob(id: $id) { outputs { name url urlExpiresAt byteSize } } }",
        { id },
      )
    ).queuedJob.outputs;

  it("stores a photo, runs a task, serves files by presigned URLs and deletes them", async () => {
    const person = await service.person();
    const bytes = smallPhoto(64, 32);
    const { status, json: photo } = await person.upload(bytes);
    assert.equal(status, 201);
    for (const url of [photo["url"], photo["previewUrl"]])
      assert.ok(String(url).startsWith(`${proxy.url}${server.bucket}/pre/fix/`), String(url));
    assert.ok(bytes.equals(await fetchBytes(photo["url"])));
    assert.ok((await fetchBytes(photo["previewUrl"])).subarray(8, 12).equals(Buffer.from("WEBP")));

    const stream = person.events({ after: await person.cursor() });
    const job = await person.enqueue("thumbnail", { widths: [16] }, { photoIds: [photo["id"]] });
    await stream.next("it succeeds", (event) => event.type === "SUCCEEDED", 30_000);
    stream.stop();
    const [output] = await outputsOf(person, job.id);
    assert.equal((await fetchBytes(output.url)).length, output.byteSize);
    for (const { url, urlExpiresAt } of [output, photo])
      assert.equal(urlExpiresAt, expiryOf(String(url)), String(url));
    assert.equal((await keys()).length, 3);
    assert.deepEqual(storedFiles(storage.scratchFolder), []);

    await person.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: job.id });
    assert.equal((await fetch(output.url)).status, 404);
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo["id"] });
    assert.equal((await fetch(String(photo["url"]))).status, 404);
    assert.deepEqual(await keys(), []);
  });

  it("sweeps files without a row, and counts rows without a file", async () => {
    const person = await service.person();
    const { json: photo } = await person.upload(smallPhoto());
    const kept = await keys();
    const stray = (kept[0] ?? "").replace(/[^/]+$/, "0198f3a0-0000-7000-8000-00000000000a");
    await storage.copy(kept[0] ?? "", stray);
    await storage.copy(kept[0] ?? "", "another/owner's");
    const sweep = createFileSweep({
      database: service.database,
      storage,
      graceMs: 0,
      log: silentLog,
    });
    const lostFiles = createLostFiles({ database: service.database, storage, log: silentLog });
    const countLost = async () =>
      (await lostFiles.run({ from: null, signal: new AbortController().signal })).lost;
    // The storage's clock counts milliseconds, so the new file needs time to become old.
    await pause(5);
    assert.equal(await sweep.run(), 1);
    assert.deepEqual(await keys(), [...kept, "another/owner's"].toSorted());
    await storage.delete(["another/owner's"]);
    assert.equal(await countLost(), 0);
    await storage.delete(kept);
    assert.equal(await countLost(), 2);
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo["id"] });
  });

  it("rejects uploads with 503 and hands work back uncounted while S3 is unavailable", async () => {
    const person = await service.person();
    const { json: photo } = await person.upload(smallPhoto(40, 40));
    const keysBefore = await keys();
    proxy.down();
    const rejection = await person.upload(smallPhoto());
    assert.deepEqual(
      [rejection.status, rejection.json],
      [
        503,
        {
          code: "SERVICE_UNAVAILABLE",
          message: "The storage is unavailable; try again in a moment.",
        },
      ],
    );
    const { id } = await person.enqueue("thumbnail", { widths: [16] }, { photoIds: [photo["id"]] });
    const waiting = await eventually("it was handed back", async () => {
      const job = await person.job(id);
      return job?.status === "PENDING" && job.attempts === 1 && job;
    });
    assert.equal(waiting.error, null);
    const [row] = await service.database.sql<
      { failures: number; stalls: number }[]
    >`select failures, stalls from queued_jobs where id = ${id}`;
    assert.deepEqual([row?.failures, row?.stalls], [0, 0]);
    assert.equal(
      (await person.get("query ($id: ID!) { photo(id: $id) { url } }", { id: photo["id"] })).photo
        .url,
      photo["url"],
    );
    proxy.up();
    assert.deepEqual(await keys(), keysBefore);
    const again = await person.enqueue("thumbnail", { widths: [16] }, { photoIds: [photo["id"]] });
    assert.equal((await person.finished(again.id)).status, "SUCCESS");
    assert.equal(JSON.stringify(service.logged).includes("hunter2"), false);
  });

  it("redirects an old URL of the service to the storage", async () => {
    const person = await service.person();
    const bytes = smallPhoto();
    const { json: photo } = await person.upload(bytes);
    const { createFileUrls } = await import("../../../src/photos/file-urls.js");
    const path = createFileUrls({
      signingKey: "a-signing-key-for-tests-0123456789abcdef",
      publicUrl: null,
      storage,
    }).sign("photos", String(photo["id"]), "a.png");
    const answer = await fetch(service.url + path, { redirect: "manual" });
    assert.equal(answer.status, 307);
    assert.ok(bytes.equals(await fetchBytes(answer.headers.get("location"))));
  });
});

/** The instant at which a presigned URL expires, as JSON. */
function expiryOf(url: string): string {
  const { searchParams } = new URL(url);
  const signedAt = (searchParams.get("X-Amz-Date") ?? "").replace(
    /(....)(..)(..)T(..)(..)(..)Z/,
    "$1-$2-$3T$4:$5:$6Z",
  );
  const seconds = Number(searchParams.get("X-Amz-Expires"));
  return new Date(Date.parse(signedAt) + seconds * 1000).toISOString();
}
