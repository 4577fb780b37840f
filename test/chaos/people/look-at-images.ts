import { setTimeout as pause } from "node:timers/promises";
import sharp from "sharp";
import { noise } from "../../imaging/noise.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";
import type { Person } from "./person.js";

const IMAGES =
  "query ($id: ID!) { photo(id: $id) { a: image(width: 64) b: image(width: 128, format: JPEG) " +
  "c: image(width: 200, format: AVIF) } }";
const DELETE = "mutation ($id: ID!) { deletePhoto(id: $id) }";
const TIMEOUT_MS = 20_000;

/**
 * Uploads photos, looks at their images as soon as they exist, and deletes some. Each image must be
 * whole; while a store is away, it may be refused.
 */
export async function lookAtImages(
  person: Person,
  options: {
    random: SeededRandom;
    violations: Violations;
    stop: AbortSignal;
    pickUrl: () => string;
  },
): Promise<void> {
  const { random, violations, stop, pickUrl } = options;
  for (let seed = random.int(1, 1e9); !stop.aborted; seed++) {
    await pause(random.int(500, 2000));
    const id = await uploadNoise(person, seed).catch(() => null);
    const answer = id && (await person.api.ask<{ photo: Images | null }>(IMAGES, { id }));
    if (!answer || answer.kind !== "data" || !answer.data.photo) continue;
    // Each image is requested twice, from any two processes.
    const urls = Object.values(answer.data.photo).flatMap((url) => [url, url]);
    await Promise.all(urls.map((url) => look(new URL(url, pickUrl()), violations)));
    if (random.chance(0.5)) await person.api.ask(DELETE, { id });
  }
}

type Images = Record<"a" | "b" | "c", string>;

async function uploadNoise(person: Person, seed: number): Promise<string> {
  return (await person.api.upload(await noise(200, 150, seed).jpeg().toBuffer())).id;
}

async function look(url: URL, violations: Violations): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  // A cut connection is an answer that no client takes for a whole one.
  const bytes = await response?.arrayBuffer().catch(() => null);
  if (!response || !bytes || response.status === 503) return;
  if (response.status !== 200)
    return violations.add("other", `an image was answered with ${response.status}`);
  await sharp(Buffer.from(bytes), { failOn: "warning" })
    .raw()
    .toBuffer()
    .catch((error: unknown) => violations.add("other", `half an image was served: ${error}`));
}
