import { LEEWAY_SECONDS } from "../../auth/verified-tokens.js";

/** A longer timer is looked at again: one of over 24.8 days would fire at once. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Calls `close` when a token expires (seconds since 1970), unless the returned function was called
 * before.
 */
export function closeAtExpiry(expiresAt: number, close: () => void): () => void {
  let timer: NodeJS.Timeout;
  function look(): void {
    const left = (expiresAt + LEEWAY_SECONDS) * 1000 - Date.now();
    if (left <= 0) close();
    else timer = setTimeout(look, Math.min(left, LONGEST_WAIT_MS));
  }
  look();
  return () => clearTimeout(timer);
}
