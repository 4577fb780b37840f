export type LeaveSlot = () => void;

interface Parked {
  settle(entered: LeaveSlot | number): void;
  timer: NodeJS.Timeout;
}

interface User {
  readonly id: string;
  running: number;
  /** Start of the first of the tasks that have run without a pause, by `performance.now()`. */
  since: number;
  /** End of the last quick task, by `performance.now()`. */
  quickAt: number;
  /** Return of the last refused task, by `performance.now()`. */
  backAt: number;
  /** Tasks that wait for another task of the user to end. */
  readonly parked: Parked[];
}

/** Maximum duration of a quick task, whose slot is soon free again. */
const QUICK_MS = 1000;
/** Delay of a refused task, and minimum distance between several that return. */
const REFUSED_MS = 1000;
const REFUSED_APART_MS = 20;
/** A user counts as active for this long after the last task came. */
const ACTIVE_MS = 5000;

/**
 * Limits the slots of a lane that one user may hold, so that another user's next task finds one.
 * The limit is half of the slots. It is all but a reserve while the user's tasks end quickly and
 * no other user is active: a user may mix quick and slow tasks, and how long a task will take is
 * unknown when it enters.
 * Tasks above the limit wait a moment for another task of the user to end.
 */
export class UserShare {
  readonly #max: number;
  readonly #half: number;
  readonly #parkMs: number;
  readonly #users = new Map<string, User>();
  /** The user of the last task, and the last task of any other user. */
  #latest = { userId: "", at: -Infinity };
  #latestOtherAt = -Infinity;

  /** @param slots of the lane */
  constructor(slots: number) {
    const reserve = slots < 2 ? 0 : Math.max(1, Math.floor(slots / 10));
    this.#max = slots - reserve;
    this.#half = Math.ceil(slots / 2);
    // At most ten tasks of a user per second pass through a slot of the reserve.
    this.#parkMs = Math.min(500, 100 * reserve);
  }

  /**
   * Resolves to a function that frees the slot, or to the delay in milliseconds when no slot is
   * free.
   */
  async enter(userId: string): Promise<LeaveSlot | number> {
    const user = this.#users.get(userId) ?? newUser(userId);
    if (this.#latest.userId !== userId) this.#latestOtherAt = this.#latest.at;
    this.#latest = { userId, at: performance.now() };
    if (this.#hasRoom(user)) {
      this.#users.set(userId, user);
      return this.#occupy(user);
    }
    // Beware: a task that waits for slow tasks would hold a slot that other users need.
    return isQuick(user) || isNew(user) ? this.#park(user) : refuse(user);
  }

  /** Refuses all waiting tasks. */
  close(): void {
    for (const { parked } of this.#users.values()) for (const one of parked.slice()) one.settle(0);
  }

  #hasRoom(user: User): boolean {
    return user.running < (isQuick(user) && this.#isAlone(user) ? this.#max : this.#half);
  }

  #isAlone({ id }: User): boolean {
    const otherAt = this.#latest.userId === id ? this.#latestOtherAt : this.#latest.at;
    return performance.now() - otherAt >= ACTIVE_MS;
  }

  #occupy(user: User): LeaveSlot {
    const startedAt = performance.now();
    user.running++;
    return () => {
      user.running--;
      const now = performance.now();
      if (now - startedAt < QUICK_MS) user.quickAt = now;
      this.#admit(user);
      if (user.running === 0) this.#users.delete(user.id);
    };
  }

  /** The first quick end raises the limit, so several tasks may enter. */
  #admit(user: User): void {
    for (const parked of user.parked.slice())
      if (this.#hasRoom(user)) parked.settle(this.#occupy(user));
  }

  #park(user: User): Promise<LeaveSlot | number> {
    return new Promise((resolve) => {
      const parked: Parked = {
        timer: setTimeout(() => parked.settle(refuse(user)), this.#parkMs),
        settle: (entered) => {
          clearTimeout(parked.timer);
          user.parked.splice(user.parked.indexOf(parked), 1);
          resolve(entered);
        },
      };
      user.parked.push(parked);
    });
  }
}

function newUser(id: string): User {
  return { id, running: 0, since: performance.now(), quickAt: -Infinity, backAt: 0, parked: [] };
}

function isNew({ since }: User): boolean {
  return performance.now() - since < QUICK_MS;
}

function isQuick({ quickAt }: User): boolean {
  return performance.now() - quickAt < QUICK_MS;
}

/**
 * Refused tasks return one by one, because taking a whole backlog repeatedly would cost a
 * processor.
 */
function refuse(user: User): number {
  const now = performance.now();
  user.backAt = Math.max(now + REFUSED_MS, user.backAt + REFUSED_APART_MS);
  return user.backAt - now;
}
