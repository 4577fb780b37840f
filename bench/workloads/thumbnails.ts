import { createApiClient, enqueuedId } from "../client/api-client.js";
import { watchCompletions } from "../client/completions.js";
import { openJobClient } from "../client/job-client.js";
import { THUMBNAIL_WIDTHS, type GraphqlPeer } from "../peers/graphql-peer.js";

const SUBMITTERS = 8;
const WARM_UP = 2;

/**
 * W6: measures thumbnails per second, from the first submission to the event of the last end. The
 * photos are uploaded before.
 */
export async function measureThumbnails(
  peer: GraphqlPeer,
  { token, photos }: { token: string; photos: readonly Buffer[] },
): Promise<number> {
  const requests = await peer.thumbnailRequests(photos);
  const client = createApiClient(peer.url, SUBMITTERS);
  const listener = await openJobClient({ url: peer.url, token, connections: 1 });
  const completions = watchCompletions(listener);
  const run = async (bodies: readonly string[]): Promise<void> =>
    completions.all(
      await Promise.all(bodies.map(async (body) => enqueuedId(await client.post(token, body)))),
    );
  await run(requests.slice(0, WARM_UP));
  const measured = requests.slice(WARM_UP);
  const from = performance.now();
  await run(measured);
  const seconds = (performance.now() - from) / 1000;
  await Promise.all([client.close(), listener.close()]);
  return (measured.length * THUMBNAIL_WIDTHS.length) / seconds;
}
