import { setTimeout as pause } from "node:timers/promises";
import type { FeedRecorder } from "./feed-recorder.js";
import type { SeededRandom } from "../../support/runner/seeded-random.js";

/** Cuts the feed about every two seconds, until the signal. */
export async function keepCutting(
  feed: FeedRecorder,
  { random, stop }: { random: SeededRandom; stop: AbortSignal },
): Promise<void> {
  while (!stop.aborted) {
    await pause(random.int(1000, 3000));
    feed.cut();
  }
}

/** Pauses the feed repeatedly, longer each time up to a limit, until the signal. */
export async function keepSleeping(
  feed: FeedRecorder,
  { random, stop, longestMs }: { random: SeededRandom; stop: AbortSignal; longestMs: number },
): Promise<void> {
  for (let ms = 3000; !stop.aborted; ms = Math.min(ms * 2, longestMs)) {
    await pause(random.int(2000, 6000));
    await feed.sleep(ms, stop);
  }
}
