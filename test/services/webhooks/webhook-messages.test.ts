import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import type { QueuedJobSnapshot } from "../../../src/domain/queued-job.js";
import {
  createSigner,
  messageBody,
  messageId,
  reportOf,
  type WaitingEvent,
} from "../../../src/services/webhooks/webhook-messages.js";

const AT = "2026-11-30T10:00:00.000Z";
const ID = "01920000-0000-7000-8000-000000000001";
const snapshot: QueuedJobSnapshot = {
  id: ID,
  userId: "01920000-0000-7000-8000-0000000000aa",
  jobName: "thumbnail",
  status: "SUCCESS",
  parameters: { widths: [320] },
  photoCount: 1,
  priority: 0,
  runAt: null,
  progress: 1,
  progressMessage: null,
  attempts: 1,
  result: { variants: [] },
  outputs: [{ name: "320w.webp", mimeType: "image/webp", byteSize: 10, width: 320, height: 200 }],
  error: null,
  version: 3,
  createdAt: AT,
  updatedAt: AT,
  startedAt: AT,
  finishedAt: AT,
  expiresAt: AT,
  reusedFrom: null,
};
const event: WaitingEvent = {
  seq: 3,
  type: "SUCCEEDED",
  at: AT,
  queuedJob: snapshot,
  row: null,
  storageKeys: { "320w.webp": "outputs/key" },
};
const ALL = ["SUCCEEDED", "FAILED", "CANCELLED"] as const;
const user = { id: snapshot.userId, issuer: "iss", subject: "sub", email: "ann@example.test" };
const fileUrls = { urlOf: async ({ name }: { name: string }) => `/files/outputs/${ID}/${name}?s` };
interface MessageData {
  cursor: string;
  queuedJob: Record<string, unknown>;
}
const bodyOf = async (waiting: WaitingEvent) => {
  const report = reportOf(waiting, ALL);
  assert.ok(report);
  const body = await messageBody(report, { user, epoch: "0123456789abcdef", fileUrls });
  return { id: messageId(report), body: JSON.parse(body) as { type: string; data: MessageData } };
};

describe("a webhook's message", () => {
  it("has the contract's fields, and a stable id", async () => {
    const { id, body } = await bodyOf(event);
    const { cursor, ...data } = body.data;
    assert.equal(id, `evt_${ID}_3`);
    assert.match(cursor, /^[\w-]{20,}$/);
    assert.deepEqual(
      { ...body, data },
      {
        type: "queued-job.succeeded",
        timestamp: AT,
        data: {
          user,
          queuedJob: {
            id: ID,
            job: "thumbnail",
            status: "SUCCESS",
            version: 3,
            attempts: 1,
            parameters: { widths: [320] },
            result: { variants: [] },
            error: null,
            outputs: [{ ...snapshot.outputs?.[0], url: `/files/outputs/${ID}/320w.webp?s` }],
            groupId: null,
            key: null,
            createdAt: AT,
            startedAt: AT,
            finishedAt: AT,
          },
        },
      },
    );
  });

  it("names the group of a member, and its key there", async () => {
    const group = {
      id: "g",
      userId: snapshot.userId,
      name: null,
      total: 1,
      pending: 0,
      started: 0,
      succeeded: 1,
      failed: 0,
      cancelled: 0,
      createdAt: AT,
      finishedAt: AT,
      expiresAt: AT,
    };
    const member = { key: "small", waitingFor: 0, takesPhotos: false, group };
    const { body } = await bodyOf({ ...event, queuedJob: { ...snapshot, member } });
    const { groupId, key } = body.data.queuedJob;
    assert.deepEqual([groupId, key], ["g", "small"]);
  });

  it("takes large values from the row", async () => {
    const { parameters, result, ...small } = snapshot;
    const { body } = await bodyOf({
      ...event,
      queuedJob: small,
      row: { parameters: parameters ?? {}, result: result ?? null },
    });
    const { queuedJob } = body.data;
    assert.deepEqual([queuedJob["parameters"], queuedJob["result"]], [parameters, result]);
  });

  it("reports the same end, with the same id, from a DELETED event", async () => {
    const deleted = { ...snapshot, version: 4, outputs: [] };
    const { id, body } = await bodyOf({ ...event, seq: 9, type: "DELETED", queuedJob: deleted });
    assert.equal(id, `evt_${ID}_3`);
    assert.equal(body.type, "queued-job.succeeded");
    assert.equal(body.data.queuedJob["version"], 3);
  });

  it("is not made for a type that the receiver does not want", () => {
    assert.equal(reportOf(event, ["FAILED", "CANCELLED"]), null);
  });
});

describe("the signature of a webhook", () => {
  const secrets = ["a", "b"].map((byte) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`);
  const at = new Date("2026-11-30T10:00:00.700Z");

  it("is an HMAC of id, time and body, by each of the secrets", () => {
    const headers = createSigner(secrets)("evt_1", "{}", at);
    const expected = ["a", "b"].map((byte) => {
      const content = `evt_1.${headers["webhook-timestamp"]}.{}`;
      return `v1,${createHmac("sha256", Buffer.alloc(32, byte)).update(content).digest("base64")}`;
    });
    assert.equal(headers["webhook-signature"], expected.join(" "));
  });

  it("is verified by the public package with either secret, and not with another", () => {
    const headers = createSigner(secrets)("evt_1", "{}");
    for (const secret of secrets) assert.deepEqual(new Webhook(secret).verify("{}", headers), {});
    const other = `whsec_${Buffer.alloc(32, "c").toString("base64")}`;
    assert.throws(() => new Webhook(other).verify("{}", headers), /No matching signature/);
  });
});
