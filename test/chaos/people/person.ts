import sharp from "sharp";
import type { ApiClient } from "./api-client.js";
import { createLedger, type Ledger } from "./ledger.js";
import { askUntilAnswered } from "./ask-until-answered.js";

/** A user, with a ledger of their requests. */
export interface Person {
  name: string;
  token: string;
  userId: string;
  /** Cursor of the stream before the first submission. */
  firstCursor: string;
  photoId: string;
  api: ApiClient;
  ledger: Ledger;
}

/** Creates a user by their first request, and uploads one photo. */
export async function createPerson(options: {
  name: string;
  token: string;
  api: ApiClient;
}): Promise<Person> {
  const { api } = options;
  const { me, queuedJobs } = await askUntilAnswered<{
    me: { id: string };
    queuedJobs: { eventCursor: string };
  }>(api, { query: "{ me { id } queuedJobs(first: 1) { eventCursor } }", deadlineMs: 20_000 });
  const jpeg = await sharp({
    create: {
      width: 200,
      height: 150,
      channels: 3,
      background: "#346",
      noise: { type: "gaussian", mean: 128, sigma: 30 },
    },
  })
    .jpeg()
    .toBuffer();
  const { id } = await api.upload(jpeg);
  return {
    ...options,
    userId: me.id,
    firstCursor: queuedJobs.eventCursor,
    photoId: id,
    ledger: createLedger(),
  };
}
