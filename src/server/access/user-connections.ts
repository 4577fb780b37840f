import type { Session } from "./authenticator.js";
import { closeAtExpiry } from "./close-at-expiry.js";

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
