import { createApiClient, enqueuedId } from "./api-client.js";
import { openFeed, type Feed } from "./feed.js";
import { ECHO_BODY, untilReceived, type JobClient } from "./job-client.js";
import { readEvent } from "./read-event.js";

const MAX_OPENING = 50;

/** Opens a client of many users over GraphQL. Each has a feed, and they submit in turns. */
export async function openCrowdClient(options: {
  url: string;
  tokens: readonly string[];
  connections: number;
}): Promise<JobClient> {
  const { url, tokens } = options;
  const api = createApiClient(url, options.connections);
  const feeds: Feed[] = [];
  let listener: (id: string, status: string) => void = () => {};
  const onNext = (message: string) => {
    const { id, status } = readEvent(message);
    listener(id, status);
  };
  for (let from = 0; from < tokens.length; from += MAX_OPENING) {
    const some = tokens.slice(from, from + MAX_OPENING);
    feeds.push(...(await Promise.all(some.map((token) => openFeed({ url, token, onNext })))));
  }
  const submitAs = async (token = "") => enqueuedId(await api.post(token, ECHO_BODY));
  await untilReceived(
    () => submitAs(tokens.at(-1)),
    (next) => (listener = next),
  );
  let turn = 0;
  return {
    submit: () => submitAs(tokens[turn++ % tokens.length]),
    onStatus: (next) => void (listener = next),
    async close() {
      for (const feed of feeds) feed.close();
      await api.close();
    },
  };
}
