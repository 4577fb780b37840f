/** Messages that a peer may send at once, and then each second: far above what any client needs. */
const BURST = 300;
const EACH_SECOND = 30;

/** A bucket of tokens for one socket: each call takes one, and says whether there was one. */
export function createMessageRate(now: () => number = Date.now): () => boolean {
  let tokens = BURST;
  let last = now();
  return () => {
    const time = now();
    tokens = Math.min(BURST, tokens + (Math.max(0, time - last) / 1000) * EACH_SECOND);
    last = time;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
