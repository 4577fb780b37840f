import { ServiceUnavailableError } from "../../domain/errors.js";

interface TurnLimits {
  /** Maximum works at the same time. */
  concurrency: number;
  /** Maximum works that wait, in total and of one user. */
  maxWaiting: number;
  maxWaitingPerUser: number;
}

/** Lets users take turns, so that a user with much work does not hold up the others. */
export class UserTurns {
  readonly #limits: TurnLimits;
  /** The waiting works by user, in the order of their turns. */
  readonly #users = new Map<string, (() => void)[]>();
  #waiting = 0;
  /** Works that may still begin at once; 0 while others wait. */
  #free: number;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
    this.#free = limits.concurrency;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `work` at the user's turn. Throws ServiceUnavailableError when too much waits. */
  async run<T>(userId: string, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await this.#wait(userId);
    try {
      return await work();
    } finally {
      this.#begin();
    }
  }

  #wait(userId: string): Promise<void> {
    const ofUser = this.#users.get(userId) ?? [];
    const { maxWaiting, maxWaitingPerUser } = this.#limits;
    if (this.#waiting >= maxWaiting || ofUser.length >= maxWaitingPerUser)
      throw new ServiceUnavailableError(
        "Too many images are waiting to be made; try again in a moment.",
      );
    this.#waiting++;
    this.#users.set(userId, ofUser);
    return new Promise((resolve) => ofUser.push(resolve));
  }

  /** Begins the next work; its user goes to the end. */
  #begin(): void {
    const [next] = this.#users;
    if (!next) return void this.#free++;
    const [userId, [begin, ...others]] = next;
    this.#users.delete(userId);
    if (others.length > 0) this.#users.set(userId, others);
    this.#waiting--;
    begin?.();
  }
}
