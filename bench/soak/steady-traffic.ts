import { setTimeout as pause } from "node:timers/promises";
import { createApiClient } from "../../test/chaos/people/api-client.js";
import type { Rig } from "../rig.js";
import type { Tally } from "./tally.js";

/** First user of the steady traffic; the mixed load has other users. */
const FIRST_PERSON = 100;
const PEOPLE = 25;
/** QUEUED, STARTED, SUCCEEDED, and DELETED when the job expires. */
const EVENTS_PER_JOB = 4;
const INTERVAL_MS = 1000;

const ENQUEUE = `mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }`;

/** Submits short jobs of 25 users until `stop`, at a rate that logs `eventsPerSecond` events. */
export async function keepSubmitting(options: {
  rig: Rig;
  url: string;
  eventsPerSecond: number;
  stop: AbortSignal;
  tally: Tally;
}): Promise<void> {
  const { rig, url, eventsPerSecond, stop, tally } = options;
  const perPerson = eventsPerSecond / EVENTS_PER_JOB / PEOPLE;
  await Promise.all(
    Array.from({ length: PEOPLE }, async (_, person) => {
      const api = createApiClient({ pickUrl: () => url, token: rig.token(FIRST_PERSON + person) });
      await pause((person * INTERVAL_MS) / PEOPLE);
      for (let owed = perPerson; !stop.aborted; owed += perPerson) {
        const startedAt = Date.now();
        const jobs = Math.floor(owed);
        owed -= jobs;
        const inputs = Array.from({ length: jobs }, () => ({
          job: "echo",
          parameters: { message: "steady" },
        }));
        if (jobs > 0) tally.count(await api.ask(ENQUEUE, { inputs }));
        const rest = Math.max(0, INTERVAL_MS - (Date.now() - startedAt));
        await pause(rest, undefined, { signal: stop }).catch(() => {});
      }
    }),
  );
}
