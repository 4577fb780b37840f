// Three kinds of listeners: a socket that is cut and resumes with its cursor, a socket with several
// subscriptions in turn, and an event stream that the client leaves.
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import type { ApiClient } from "../../test/chaos/people/api-client.js";
import { FeedConnection } from "../../test/chaos/feeds/feed-connection.js";
import { STREAMS } from "../../test/chaos/feeds/received-event.js";
import type { SeededRandom } from "../../test/support/runner/seeded-random.js";
import type { Tally } from "./tally.js";

interface Listener {
  url: string;
  token: string;
  api: ApiClient;
  random: SeededRandom;
  stop: AbortSignal;
  tally: Tally;
}

const SUBSCRIPTION =
  "subscription { queuedJobEvents(includeProgress: true) { cursor type queuedJob { id " +
  "status progress } } }";

/** Resolves after that time, or at the signal. */
const unlessOver = (ms: number, stop: AbortSignal) =>
  pause(ms, undefined, { signal: stop }).catch(() => {});

export async function listenAndCut({
  url,
  token,
  api,
  random,
  stop,
  tally,
}: Listener): Promise<void> {
  const answer = await api.ask<{ queuedJobs: { eventCursor: string } }>(
    "{ queuedJobs(first: 1) { eventCursor } }",
  );
  if (answer.kind !== "data") return tally.complain("the first cursor could not be read");
  let after = answer.data.queuedJobs.eventCursor;
  while (!stop.aborted) {
    tally.connections++;
    const connection = new FeedConnection({
      url,
      token,
      after,
      query: STREAMS[random.chance(0.5) ? "jobs" : "jobsWithoutProgress"],
      onReady: () => {},
      onEvent(event) {
        after = event.cursor;
        tally.events++;
      },
    });
    await unlessOver(random.int(1000, 20_000), stop);
    connection.cut();
    const { codes } = await connection.ended;
    for (const code of codes) tally.complain(`a subscription ended with ${code}`);
  }
}

export async function listenPolitely({ url, token, random, stop, tally }: Listener): Promise<void> {
  while (!stop.aborted) {
    tally.connections++;
    const client = createClient({
      url: `${url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${token}` },
      onNonLazyError: (error) =>
        stop.aborted || tally.complain(`a socket was lost: ${String(error)}`),
    });
    for (let times = random.int(1, 8); times > 0 && !stop.aborted; times--) {
      const end = client.subscribe(
        { query: SUBSCRIPTION },
        {
          next: () => void tally.events++,
          error: (error) => tally.complain(`a subscription failed: ${JSON.stringify(error)}`),
          complete: () => {},
        },
      );
      await unlessOver(random.int(500, 5000), stop);
      end();
    }
    await client.dispose();
  }
}

export async function listenByStream({ url, token, random, stop, tally }: Listener): Promise<void> {
  while (!stop.aborted) {
    tally.connections++;
    const leave = new AbortController();
    const timer = setTimeout(() => leave.abort(), random.int(1000, 15_000));
    const onStop = () => leave.abort();
    stop.addEventListener("abort", onStop);
    try {
      const response = await fetch(`${url}/graphql/stream`, {
        method: "POST",
        signal: leave.signal,
        headers: {
          accept: "text/event-stream",
          "content-type": "application/json",
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify({ query: SUBSCRIPTION }),
      });
      if (!response.ok) tally.complain(`a stream was refused with ${response.status}`);
      for await (const chunk of response.body ?? [])
        tally.events += Buffer.from(chunk).toString().split("event: next").length - 1;
      if (!leave.signal.aborted) tally.complain("a stream ended by itself");
    } catch (error) {
      if (!leave.signal.aborted) tally.complain(`a stream broke: ${String(error)}`);
    }
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}
