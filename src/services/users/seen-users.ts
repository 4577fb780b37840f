import { LRUCache } from "lru-cache";

/**
 * Who the bearers of tokens were when the database was asked last; bounded, and for a minute only.
 */
export interface SeenUsers<User extends { id: string }> {
  /** The user; null when the token was refused; undefined when the database is to be asked. */
  get(key: string): User | null | undefined;
  /** `readAt`: when the database was asked, by `now`. */
  set(key: string, user: User | null, readAt: number): void;
  /** Of this user nothing is remembered any more. */
  forget(userId: string): void;
  /**
   * Some users may have been deleted unnoticed: all are asked for again, each a little later than
   * the other.
   */
  distrustAll(): void;
}

interface Sighting<User> {
  user: User | null;
  readAt: number;
  /** How long after a miss this one is trusted still. */
  spreadMs: number;
}

const MAX_SEEN = 20_000;
const TRUSTED_MS = 60_000;
/** Asking for all at once would be a herd, in every process at the same moment. */
const SPREAD_MS = 10_000;

export function createSeenUsers<User extends { id: string }>({
  now = Date.now,
}: { now?: () => number } = {}): SeenUsers<User> {
  const keysOf = new Map<string, Set<string>>();
  const seen = new LRUCache<string, Sighting<User>>({
    max: MAX_SEEN,
    dispose: ({ user }, key) => void (user && unindex(user.id, key)),
  });
  /** When notifications of deleted users may have been missed, oldest first. */
  let misses: number[] = [];

  function unindex(userId: string, key: string): void {
    const keys = keysOf.get(userId);
    keys?.delete(key);
    if (keys?.size === 0) keysOf.delete(userId);
  }

  function isTrusted({ readAt, spreadMs }: Sighting<User>): boolean {
    const missedAt = misses.find((at) => at >= readAt);
    return now() - readAt < TRUSTED_MS && (missedAt === undefined || now() - missedAt < spreadMs);
  }

  return {
    get(key) {
      const sighting = seen.get(key);
      if (sighting && isTrusted(sighting)) return sighting.user;
      if (sighting) seen.delete(key);
      return undefined;
    },
    set(key, user, readAt) {
      seen.set(key, { user, readAt, spreadMs: Math.random() * SPREAD_MS });
      if (!user) return;
      const keys = keysOf.get(user.id) ?? new Set();
      keysOf.set(user.id, keys.add(key));
    },
    forget(userId) {
      for (const key of keysOf.get(userId) ?? []) seen.delete(key);
    },
    distrustAll() {
      misses = [...misses.filter((at) => now() - at < TRUSTED_MS), now()];
    },
  };
}
