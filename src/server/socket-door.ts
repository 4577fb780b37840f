export interface SocketDoor {
  /** Calls back with true when one more may open, at once if there is room; with false when there is none in time. */
  knock(answer: (mayOpen: boolean) => void): void;
  /** One more is opening; it has opened, or is gone, when the returned function is called. */
  enter(): () => void;
  /** Refuses those who wait, and everybody later. */
  close(): void;
}

/** For a place. Shorter than any client's own patience, and long enough to bear the return of thousands in one moment. */
const PATIENCE_MS = 2000;
const MAX_WAITING = 10_000;

/**
 * Lets `most` sockets open at a time. The others wait before their upgrade, where they cost a connection and nothing
 * else: to refuse them at once would make them come back in waves, with pauses in which nothing is done.
 */
export function createSocketDoor(most: number): SocketDoor {
  const waiting = new Set<(mayOpen: boolean) => void>();
  let opening = 0;
  let closed = false;

  function admit(): void {
    for (const answer of waiting) {
      if (opening >= most) return;
      answer(true);
    }
  }

  return {
    knock(answer) {
      if (!closed && opening < most) return answer(true);
      if (closed || waiting.size >= MAX_WAITING) return answer(false);
      const once = (mayOpen: boolean) => {
        clearTimeout(timer);
        waiting.delete(once);
        answer(mayOpen);
      };
      const timer = setTimeout(once, PATIENCE_MS, false);
      waiting.add(once);
    },
    enter() {
      let counted = true;
      opening++;
      return () => {
        if (!counted) return;
        counted = false;
        opening--;
        admit();
      };
    },
    close() {
      closed = true;
      for (const answer of waiting) answer(false);
    },
  };
}
