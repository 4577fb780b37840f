import { createApiClient } from "../client/api-client.js";

const CONNECTIONS = 8;
const WARM_UP = 2;
const IMAGE = "query ($id: ID!) { photo(id: $id) { image(width: 640) } }";
const DELETE = "mutation ($id: ID!) { deletePhoto(id: $id) }";

/**
 * W8: measures images per second, each requested for the first time, with one child. The photos are
 * uploaded before, and deleted afterwards, so that the next round makes their images again.
 */
export async function measureImages({
  url,
  token,
  photos,
}: {
  url: string;
  token: string;
  photos: readonly Buffer[];
}): Promise<number> {
  const client = createApiClient(url, CONNECTIONS);
  const ask = (query: string, id: string) =>
    client.post(token, JSON.stringify({ query, variables: { id } }));
  const ids: string[] = [];
  const images: string[] = [];
  for (const photo of photos) {
    const id = await client.upload(token, photo);
    const answer = await ask(IMAGE, id);
    ids.push(id);
    images.push((JSON.parse(answer) as { data: { photo: { image: string } } }).data.photo.image);
  }
  const fetchAll = async (paths: readonly string[]): Promise<void> => {
    await Promise.all(
      paths.map(async (path) => {
        const response = await fetch(new URL(path, url));
        if (response.status !== 200) throw new Error(`${response.status} of an image`);
        await response.arrayBuffer();
      }),
    );
  };
  await fetchAll(images.slice(0, WARM_UP));
  const measured = images.slice(WARM_UP);
  const from = performance.now();
  await fetchAll(measured);
  const seconds = (performance.now() - from) / 1000;
  for (const id of ids) await ask(DELETE, id);
  await client.close();
  return measured.length / seconds;
}
