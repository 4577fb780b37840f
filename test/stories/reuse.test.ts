// The same job submitted twice, end to end: the second one reuses the thumbnails of the first.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { smallPhoto } from "../support/service/small-photo.js";
import type { TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

interface Made {
  reusedFrom: string | null;
  result: unknown;
  outputs: { name: string; byteSize: number; url: string }[];
}

describe("the same job submitted again", () => {
  let service: TestService;
  let person: TestClient;
  let photoIds: unknown[];
  before(async () => {
    service = await startTestService();
    person = await service.person();
    photoIds = [(await person.upload(smallPhoto(64, 48), { type: "image/png" })).json["id"]];
  });
  after(() => service.close());

  async function make(
    more: object = {},
    parameters: object = { widths: [16, 32] },
  ): Promise<Made & { id: string; types: string[] }> {
    const { id } = await person.enqueue("thumbnail", parameters, { photoIds, ...more });
    await person.finished(id);
    const { queuedJob } = await person.get(
      "query ($id: ID!) { queuedJob(id: $id) { reusedFrom result outputs { name byteSize " +
        "url } history { type } } }",
      { id },
    );
    return { id, ...queuedJob, types: queuedJob.history.map(({ type }: { type: string }) => type) };
  }
  const fetchAll = ({ outputs }: Made) =>
    Promise.all(
      outputs.map(async ({ url }) => {
        const response = await fetch(new URL(url, service.url));
        return [
          response.status,
          response.status === 200
            ? Buffer.from(await response.arrayBuffer()).toString("hex")
            : null,
        ];
      }),
    );

  it("reuses the result with own copies of its files, which outlive the first job", async () => {
    const [first, second] = [await make(), await make()];
    assert.deepEqual([first.reusedFrom, second.reusedFrom], [null, first.id]);
    assert.deepEqual(second.types, ["QUEUED", "STARTED", "SUCCEEDED"]);
    assert.deepEqual(
      [second.result, second.outputs.map(({ name, byteSize }) => [name, byteSize])],
      [first.result, first.outputs.map(({ name, byteSize }) => [name, byteSize])],
    );
    const bytes = await fetchAll(first);
    assert.deepEqual(
      bytes.map(([status]) => status),
      [200, 200],
    );
    assert.deepEqual(await fetchAll(second), bytes);
    await person.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: first.id });
    assert.deepEqual(await fetchAll(first), [
      [404, null],
      [404, null],
    ]);
    assert.deepEqual(await fetchAll(second), bytes);
  });

  it("runs again with fresh, or with other parameters", async () => {
    const first = await make({}, { widths: [24] });
    const cases: [object, object][] = [
      [{ fresh: true }, { widths: [24] }],
      [{}, { widths: [25] }],
      [{}, { widths: [24], quality: 81 }],
    ];
    for (const [more, parameters] of cases)
      assert.equal(
        (await make(more, parameters)).reusedFrom,
        null,
        JSON.stringify([more, parameters]),
      );
    assert.notEqual((await make({}, { format: "webp", widths: [24] })).reusedFrom, null);
    assert.equal(first.outputs.length, 1);
  });
});
