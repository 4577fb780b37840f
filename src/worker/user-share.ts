interface Parked {
  enter(mayRun: boolean): void;
  timer: NodeJS.Timeout;
}

/**
 * How many slots of a lane one user may have: all but a reserve, so that somebody else's next task
 * finds one however long that user's tasks take. What would go into the reserve waits a moment for
 * another task of its user to end, which short tasks always do.
 */
export class UserShare {
  readonly #max: number;
  readonly #parkMs: number;
  readonly #running = new Map<string, number>();
  readonly #parked = new Map<string, Parked[]>();

  /** @param slots of the lane */
  constructor(slots: number) {
    const reserve = slots < 2 ? 0 : Math.max(1, Math.floor(slots / 10));
    this.#max = slots - reserve;
    // Of one user no more than ten a second pass through a small reserve: each goes back to the queue.
    this.#parkMs = Math.min(500, 100 * reserve);
  }

  /** Whether a task of this user may run; if so, `leave` is to be called when it has ended. */
  async enter(userId: string): Promise<boolean> {
    const running = this.#running.get(userId) ?? 0;
    if (running >= this.#max) return this.#park(userId);
    this.#running.set(userId, running + 1);
    return true;
  }

  leave(userId: string): void {
    const next = this.#parked.get(userId)?.[0];
    if (next) return next.enter(true);
    const running = (this.#running.get(userId) ?? 0) - 1;
    if (running > 0) this.#running.set(userId, running);
    else this.#running.delete(userId);
  }

  /** Refuses what waits. */
  close(): void {
    for (const waiting of this.#parked.values()) for (const one of waiting.slice()) one.enter(false);
  }

  #park(userId: string): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = this.#parked.get(userId) ?? [];
      const parked: Parked = {
        timer: setTimeout(() => parked.enter(false), this.#parkMs),
        enter: (mayRun) => {
          clearTimeout(parked.timer);
          waiting.splice(waiting.indexOf(parked), 1);
          if (waiting.length === 0) this.#parked.delete(userId);
          resolve(mayRun);
        },
      };
      waiting.push(parked);
      this.#parked.set(userId, waiting);
    });
  }
}
