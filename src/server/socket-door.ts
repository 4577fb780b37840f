export interface SocketDoor {
  /** Calls back with true when one more may open, at once if there is room; with false when there is none in time. */
  knock(answer: (mayOpen: boolean) => void): void;
  /** One more is opening; it has opened, or is gone, when the returned function is called. */
  enter(): () => void;
  /** Refuses those who wait, and everybody later. */
  close(): void;
}

/** For a line that does not move: those inside are idle. */
const PATIENCE_MS = 2000;
/** For a place, while the line moves: shorter than any client's own patience. */
const LONGEST_WAIT_MS = 8000;
const MAX_WAITING = 10_000;

/**
 * Lets `most` sockets open at a time. The others wait before their upgrade, where they cost a connection and nothing
 * else: a refusal costs as much as an opening, and those who are refused come back in waves. So when thousands return in
 * one moment, whoever can be served at all is not sent away.
 */
export function createSocketDoor(most: number): SocketDoor {
  const waiting = new Set<(mayOpen: boolean) => void>();
  let opening = 0;
  let closed = false;
  let movedAt = 0;

  function admit(): void {
    for (const answer of waiting) {
      if (opening >= most) return;
      movedAt = Date.now();
      answer(true);
    }
  }

  function wait(answer: (mayOpen: boolean) => void): void {
    const since = Date.now();
    const left = () => Math.min(since + LONGEST_WAIT_MS, Math.max(since, movedAt) + PATIENCE_MS) - Date.now();
    const look = () => (left() <= 0 ? once(false) : void (timer = setTimeout(look, left())));
    const once = (mayOpen: boolean) => {
      clearTimeout(timer);
      waiting.delete(once);
      answer(mayOpen);
    };
    let timer = setTimeout(look, left());
    waiting.add(once);
  }

  return {
    knock(answer) {
      if (!closed && opening < most) return answer(true);
      if (closed || waiting.size >= MAX_WAITING) return answer(false);
      wait(answer);
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
