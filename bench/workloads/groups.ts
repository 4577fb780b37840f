import { setTimeout as pause } from "node:timers/promises";
import type { GroupClient } from "../client/group-client.js";
import type { Scale } from "../scale.js";
import type { ShapeName } from "./group-shapes.js";

const WARM_UP_SIZE = 100;
/** Time without an end after which the missing jobs are given up. */
const TIMEOUT_MS = 20_000;

/**
 * W9: measures jobs per second of groups of one shape, from the first submission to the last event
 * of an end. All groups are submitted at once.
 */
export async function measureGroups(
  client: GroupClient,
  shape: ShapeName,
  { groups, size }: Scale["groups"],
): Promise<number> {
  await runAll(client, shape, { groups: 1, size: WARM_UP_SIZE });
  return (groups * size) / (await runAll(client, shape, { groups, size }));
}

/** Returns the number of seconds. */
async function runAll(
  client: GroupClient,
  shape: ShapeName,
  { groups, size }: Scale["groups"],
): Promise<number> {
  const ended = new Set<string>();
  let lastAt = performance.now();
  client.onSuccess((id) => {
    ended.add(id);
    lastAt = performance.now();
  });
  const from = performance.now();
  await Promise.all(Array.from({ length: groups }, () => client.submit(shape, size)));
  while (ended.size < groups * size) {
    if (performance.now() - lastAt > TIMEOUT_MS)
      throw new Error(`only ${ended.size} of ${groups * size} jobs have ended`);
    await pause(2);
  }
  return (lastAt - from) / 1000;
}
