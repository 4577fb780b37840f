export interface UserConnections {
  /** Counts one more; the returned function says that it is gone. Null: the user has as many as they may. */
  add(userId: string, close: () => void): (() => void) | null;
  /** Closes all that a user has: their account is gone. */
  closeUser(userId: string): void;
}

/** What the people of one process have open, sockets and streams alike: `most` for each of them. */
export function createUserConnections(most: number): UserConnections {
  const ofUser = new Map<string, Set<() => void>>();

  return {
    add(userId, close) {
      const own = ofUser.get(userId) ?? new Set();
      if (own.size >= most) return null;
      // A function of its own, so that each counts whatever was given.
      const entry = () => close();
      ofUser.set(userId, own.add(entry));
      return () => {
        own.delete(entry);
        if (own.size === 0 && ofUser.get(userId) === own) ofUser.delete(userId);
      };
    },
    closeUser(userId) {
      for (const close of ofUser.get(userId) ?? []) close();
    },
  };
}
