import type { Session } from "./authenticator.js";
import { LEEWAY_SECONDS } from "../../auth/verified-tokens.js";

export interface UserConnections {
  /**
   * Registers a connection and closes it when its token expires or its user is deleted. Call the
   * returned function when it has ended. Returns null when the user is at the limit.
   */
  add(session: Pick<Session, "user" | "expiresAt">, close: () => void): (() => void) | null;
  /** Closes all connections of a user whose account was deleted. */
  closeUser(userId: string): void;
}

/** Sockets and streams of this process, at most `maxPerUser` together for each user. */
export function createUserConnections(maxPerUser: number): UserConnections {
  const ofUser = new Map<string, Set<() => void>>();

  return {
    add({ user, expiresAt }, close) {
      const connections = ofUser.get(user.id) ?? new Set();
      if (connections.size >= maxPerUser) return null;
      // A new function for each connection: two of them can share one `close`.
      const entry = () => close();
      ofUser.set(user.id, connections.add(entry));
      const disarm = closeAtExpiry(expiresAt, entry);
      return () => {
        disarm();
        connections.delete(entry);
        if (connections.size === 0 && ofUser.get(user.id) === connections) ofUser.delete(user.id);
      };
    },
    closeUser(userId) {
      for (const close of ofUser.get(userId) ?? []) close();
    },
  };
}

/** Longer waits are split, since a timer of over 24.8 days fires at once. */
const MAX_TIMER_MS = 3_600_000;

/** Calls `close` when a token expires (seconds since 1970). The returned function cancels this. */
function closeAtExpiry(expiresAt: number, close: () => void): () => void {
  let timer: NodeJS.Timeout;
  function check(): void {
    const left = (expiresAt + LEEWAY_SECONDS) * 1000 - Date.now();
    if (left <= 0) close();
    else timer = setTimeout(check, Math.min(left, MAX_TIMER_MS));
  }
  check();
  return () => clearTimeout(timer);
}
