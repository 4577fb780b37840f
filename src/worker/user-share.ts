/** Frees the slot. */
export type LeaveSlot = () => void;

interface Parked {
  settle(leave: LeaveSlot | null): void;
  timer: NodeJS.Timeout;
}

interface Running {
  count: number;
  /** `performance.now()` of the last task that ended quickly. */
  quickAt: number;
}

/** A task that takes less is quick: its slot is soon free again. */
const QUICK_MS = 1000;

/**
 * How many slots of a lane one user may hold, so that another user's next task finds one.
 * Slow tasks may hold half of them. A user whose tasks end quickly may hold all but a reserve.
 * A task beyond the limit waits a moment for another task of its user to end.
 */
export class UserShare {
  readonly #max: number;
  readonly #maxSlow: number;
  readonly #parkMs: number;
  readonly #running = new Map<string, Running>();
  readonly #parked = new Map<string, Parked[]>();

  /** @param slots of the lane */
  constructor(slots: number) {
    const reserve = slots < 2 ? 0 : Math.max(1, Math.floor(slots / 10));
    this.#max = slots - reserve;
    this.#maxSlow = Math.ceil(slots / 2);
    // At most ten tasks of a user pass through a slot of the reserve per second.
    this.#parkMs = Math.min(500, 100 * reserve);
  }

  /** Resolves to null when a task of this user may not run now. */
  async enter(userId: string): Promise<LeaveSlot | null> {
    const user = this.#running.get(userId) ?? { count: 0, quickAt: -Infinity };
    if (!this.#hasRoom(user)) return this.#park(userId);
    this.#running.set(userId, user);
    return this.#occupy(userId, user);
  }

  /** Refuses what waits. */
  close(): void {
    for (const queue of this.#parked.values()) for (const one of queue.slice()) one.settle(null);
  }

  #hasRoom({ count, quickAt }: Running): boolean {
    return count < (performance.now() - quickAt < QUICK_MS ? this.#max : this.#maxSlow);
  }

  #occupy(userId: string, user: Running): LeaveSlot {
    const startedAt = performance.now();
    user.count++;
    return () => {
      user.count--;
      const now = performance.now();
      if (now - startedAt < QUICK_MS) user.quickAt = now;
      this.#admit(userId, user);
      if (user.count === 0) this.#running.delete(userId);
    };
  }

  /** A quick end may raise the limit, so that several may enter. */
  #admit(userId: string, user: Running): void {
    for (const parked of this.#parked.get(userId)?.slice() ?? []) {
      if (!this.#hasRoom(user)) return;
      parked.settle(this.#occupy(userId, user));
    }
  }

  #park(userId: string): Promise<LeaveSlot | null> {
    return new Promise((resolve) => {
      const queue = this.#parked.get(userId) ?? [];
      const parked: Parked = {
        timer: setTimeout(() => parked.settle(null), this.#parkMs),
        settle: (leave) => {
          clearTimeout(parked.timer);
          queue.splice(queue.indexOf(parked), 1);
          if (queue.length === 0) this.#parked.delete(userId);
          resolve(leave);
        },
      };
      queue.push(parked);
      this.#parked.set(userId, queue);
    });
  }
}
