import type { Session } from "./authenticator.js";
import { LEEWAY_SECONDS } from "../../auth/verified-tokens.js";

export interface UserConnections {
  /**
   * Counts one more, and closes it when its token expires or its user is gone; the returned
   * function says that it is over. Null: the user has as many as they may.
   */
  add(session: Pick<Session, "user" | "expiresAt">, close: () => void): (() => void) | null;
  /** Closes all that a user has: their account is gone. */
  closeUser(userId: string): void;
}

/** What the people of one process have open, sockets and streams alike: `most` for each of them. */
export function createUserConnections(most: number): UserConnections {
  const ofUser = new Map<string, Set<() => void>>();

  return {
    add({ user, expiresAt }, close) {
      const own = ofUser.get(user.id) ?? new Set();
      if (own.size >= most) return null;
      // A function of its own, so that each counts whatever was given.
      const entry = () => close();
      ofUser.set(user.id, own.add(entry));
      const disarm = closeAtExpiry(expiresAt, entry);
      return () => {
        disarm();
        own.delete(entry);
        if (own.size === 0 && ofUser.get(user.id) === own) ofUser.delete(user.id);
      };
    },
    closeUser(userId) {
      for (const close of ofUser.get(userId) ?? []) close();
    },
  };
}

/** A longer timer is looked at again: one of over 24.8 days would fire at once. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Calls `close` when a token expires (seconds since 1970), unless the returned function was called
 * before.
 */
function closeAtExpiry(expiresAt: number, close: () => void): () => void {
  let timer: NodeJS.Timeout;
  function look(): void {
    const left = (expiresAt + LEEWAY_SECONDS) * 1000 - Date.now();
    if (left <= 0) close();
    else timer = setTimeout(look, Math.min(left, LONGEST_WAIT_MS));
  }
  look();
  return () => clearTimeout(timer);
}
