import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createApiClient, type ApiClient } from "../../test/chaos/people/api-client.js";
import type { SeededRandom } from "../../test/support/runner/seeded-random.js";
import type { Rig } from "../rig.js";
import { makeSmallPhoto, withComment } from "../sample-photo.js";
import { listenAndCut, listenByStream, listenPolitely } from "./listeners.js";
import type { Tally } from "./tally.js";

/** Runs all users concurrently until `stop`; resolves when all have left. */
export async function useService({
  rig,
  url,
  random,
  stop,
  tally,
}: {
  rig: Rig;
  url: string;
  random: SeededRandom;
  stop: AbortSignal;
  tally: Tally;
}): Promise<void> {
  const picture = await makeSmallPhoto();
  await Promise.all(
    Array.from({ length: PEOPLE }, async (_, person) => {
      const token = rig.token(person);
      const api = createApiClient({ pickUrl: () => url, token });
      const options = { url, token, api, random: random.branch(), stop, tally };
      await Promise.all([
        act(options, picture),
        listenAndCut(options),
        listenPolitely(options),
        listenByStream({ ...options, random: random.branch() }),
      ]);
    }),
  );
}

const PEOPLE = 12;

interface Actor {
  api: ApiClient;
  random: SeededRandom;
  stop: AbortSignal;
  tally: Tally;
}

const ENQUEUE =
  "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id status } }";
const PAGE =
  "query ($status: [QueuedJobStatus!]) { queuedJobs(first: 20, filter: { status: $status " +
  "}) { nodes { id status createdAt job { name } user { id email } photos { id } outputs " +
  "{ name url } } pageInfo { hasNextPage endCursor } eventCursor } }";

/** Acts like a user: many reads, often a submission, sometimes a photo, and some mistakes. */
async function act(actor: Actor, picture: Buffer): Promise<void> {
  const { api, random, stop, tally } = actor;
  while (!stop.aborted) {
    const chance = random.next();
    if (chance < 0.45)
      tally.count(await api.ask(PAGE, { status: random.chance(0.3) ? ["SUCCESS"] : null }));
    else if (chance < 0.85)
      tally.count(
        await api.ask(ENQUEUE, {
          inputs: Array.from({ length: random.chance(0.2) ? random.int(2, 8) : 1 }, () =>
            makeEcho(random),
          ),
        }),
      );
    else if (chance < 0.9) await usePhoto(actor, picture);
    else
      tally.expectRefusal(
        await api.ask(random.pick(MISTAKES), { id: "00000000-0000-7000-8000-000000000000" }),
      );
    await pause(random.int(100, 500));
  }
}

/** Requests that different parts of the service refuse. */
const MISTAKES = [
  "mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }",
  "query { nothing }",
  "query {",
  'mutation { enqueueJob(input: { job: "echo", parameters: { durationMs: -1 } }) { id } }',
];

function makeEcho(random: SeededRandom): object {
  const failing = random.chance(0.05) ? { failAttempts: 1 } : {};
  return {
    job: "echo",
    parameters: {
      message: "soak",
      durationMs: random.int(0, 400),
      steps: random.int(0, 4),
      ...failing,
    },
    ...(random.chance(0.1) && {
      runAt: new Date(Date.now() + random.int(500, 3000)).toISOString(),
    }),
  };
}

async function usePhoto({ api, random, tally }: Actor, picture: Buffer): Promise<void> {
  tally.uploads++;
  const photo = await api
    .upload(withComment(picture, randomBytes(16)))
    .catch((error: unknown) => String(error));
  if (typeof photo === "string") return tally.countFailure(photo);
  const jobs = random.shuffled(["thumbnail", "metadata", "placeholder", "palette"]).slice(0, 2);
  tally.count(
    await api.ask(ENQUEUE, { inputs: jobs.map((job) => ({ job, photoIds: [photo.id] })) }),
  );
}
