import { createApiClient, enqueuedId } from "./api-client.js";
import { openFeed, type Feed } from "./feed.js";
import { ECHO_BODY, untilReceived, type JobClient } from "./job-client.js";
import { readEvent } from "./read-event.js";

const MAX_OPENING = 50;

/**
 * Opens a client of many users over GraphQL. Each has a feed, and they submit in turns. With several
 * URLs, feeds and requests are spread over them, a user's too.
 */
export async function openCrowdClient(options: {
  urls: readonly string[];
  tokens: readonly string[];
  connections: number;
}): Promise<JobClient> {
  const { urls, tokens } = options;
  const apis = urls.map((url) => createApiClient(url, options.connections));
  const feeds: Feed[] = [];
  let listener: (id: string, status: string) => void = () => {};
  const onNext = (message: string) => {
    const { id, status } = readEvent(message);
    listener(id, status);
  };
  for (let from = 0; from < tokens.length; from += MAX_OPENING) {
    const some = tokens.slice(from, from + MAX_OPENING);
    const urlOf = (place: number) => urls[(from + place) % urls.length] ?? "";
    const opened = some.map((token, i) => openFeed({ url: urlOf(i), token, onNext }));
    feeds.push(...(await Promise.all(opened)));
  }
  let turn = 0;
  const submitAs = async (token = "") => {
    // Each round of the users begins at the next API.
    const api = apis[(turn + Math.floor(turn / tokens.length)) % apis.length];
    return enqueuedId((await api?.post(token, ECHO_BODY)) ?? "");
  };
  await untilReceived(
    () => submitAs(tokens.at(-1)),
    (next) => (listener = next),
  );
  return {
    submit: () => submitAs(tokens[turn++ % tokens.length]),
    onStatus: (next) => void (listener = next),
    async close() {
      for (const feed of feeds) feed.close();
      await Promise.all(apis.map((api) => api.close()));
    },
  };
}
