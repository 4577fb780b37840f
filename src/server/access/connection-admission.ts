// Decides which sockets may open. A socket holds one of a few places from its upgrade until it has
// signed in. The others wait before their upgrade, where they cost only a connection. Peers need no
// token for this, so the places are shared between networks. A silent peer loses its place when
// others wait.

/** The place of a socket that has not signed in. */
export interface Place {
  /** Call when its sign-in starts: it is not idle any more. */
  onSignIn(): void;
  /** Call when it has signed in or is being closed. */
  leave(): void;
}

/**
 * The reason to close an idle socket: it took too long, or its network has more than its share of
 * the places.
 */
export type ExpelReason = "late" | "crowded";

type Answer = (mayOpen: boolean) => void;
type Expel = (reason: ExpelReason) => void;

interface Held {
  since: number;
  /** Returns the place. Idempotent. */
  release(): void;
  expel: Expel;
}

interface Network {
  places: number;
  /** Sockets that have sent nothing yet, oldest first. */
  idle: Set<Held>;
  /** A first-in, first-out queue. */
  waiting: { since: number; answer: Answer }[];
}

/** Maximum wait for a place: shorter than the timeout of any known client. */
const MAX_WAIT_MS = 8000;
const MAX_WAITING = 10_000;
/** An idle socket is closed after this time when others wait. */
const IDLE_MS = 2000;
/**
 * The same for a network that has more places than a waiting one. Honest clients start their
 * sign-in earlier.
 */
const CROWDED_IDLE_MS = 500;
const CHECK_MS = 50;

export class ConnectionAdmission {
  readonly #maxOpening: number;
  readonly #networks = new Map<string, Network>();
  /** Networks with waiting sockets, in the order of their turns. */
  readonly #turns = new Set<Network>();
  #opening = 0;
  #waiting = 0;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(maxOpening: number) {
    this.#maxOpening = maxOpening;
  }

  /**
   * Calls back with true when a socket of this network may open, at once if a place is free. Calls
   * back with false when no place becomes free in time.
   */
  request(network: string, answer: Answer): void {
    if (this.#closed) answer(false);
    else if (this.#opening < this.#maxOpening) answer(true);
    else this.#wait(network, answer);
  }

  /** Registers an open socket. `expel` must close it; its place is already free then. */
  enter(name: string, expel: Expel): Place {
    const network = this.#networkNamed(name);
    let isCounted = true;
    const release = () => {
      if (!isCounted) return;
      isCounted = false;
      this.#opening--;
      network.places--;
      network.idle.delete(held);
      this.#forgetUnused(name);
    };
    const held: Held = { since: Date.now(), release, expel };
    this.#opening++;
    network.places++;
    network.idle.add(held);
    const leave = () => {
      release();
      this.#admit();
    };
    return { onSignIn: () => void network.idle.delete(held), leave };
  }

  /** Number of sockets that hold a place. */
  get opening(): number {
    return this.#opening;
  }

  /** Waiting time of the socket that waits longest; 0 when none waits. */
  get longestWaitSeconds(): number {
    const now = Date.now();
    const first = [...this.#turns].reduce(
      (least, { waiting }) => Math.min(least, waiting[0]?.since ?? now),
      now,
    );
    return (now - first) / 1000;
  }

  /** Refuses all waiting and all later sockets. */
  close(): void {
    this.#closed = true;
    for (const network of this.#turns) this.#answer(network, network.waiting.shift(), false);
    this.#stopChecks();
  }

  #networkNamed(name: string): Network {
    const network = this.#networks.get(name) ?? { places: 0, idle: new Set(), waiting: [] };
    this.#networks.set(name, network);
    return network;
  }

  #forgetUnused(name: string): void {
    const network = this.#networks.get(name);
    if (network?.places === 0 && network.waiting.length === 0) this.#networks.delete(name);
  }

  #wait(name: string, answer: Answer): void {
    const network = this.#networkNamed(name);
    if (!this.#hasRoomInQueue(network)) {
      this.#forgetUnused(name);
      return answer(false);
    }
    const answerOnce = (mayOpen: boolean) => {
      answer(mayOpen);
      this.#forgetUnused(name);
    };
    network.waiting.push({ since: Date.now(), answer: answerOnce });
    this.#waiting++;
    this.#turns.add(network);
    // Check after pending input: on a busy process a sign-in can have arrived without being read.
    this.#timer ??= setInterval(() => setImmediate(() => this.#check()), CHECK_MS);
  }

  /** When the queue is full, a socket of the network with the most waiting ones is refused. */
  #hasRoomInQueue(network: Network): boolean {
    if (this.#waiting < MAX_WAITING) return true;
    const longest = [...this.#turns].reduce(
      (a, b) => (b.waiting.length > a.waiting.length ? b : a),
      network,
    );
    if (longest.waiting.length <= network.waiting.length + 1) return false;
    this.#answer(longest, longest.waiting.pop(), false);
    return true;
  }

  /** Answers a socket that left the queue of this network, which goes to the end of the turns. */
  #answer(network: Network, waiting: { answer: Answer } | undefined, mayOpen: boolean): void {
    this.#waiting--;
    this.#turns.delete(network);
    if (network.waiting.length > 0) this.#turns.add(network);
    waiting?.answer(mayOpen);
  }

  /** A peer that disconnected while it waited takes no place, so the next one gets its turn. */
  #admit(): void {
    for (const network of this.#turns) {
      if (this.#opening >= this.#maxOpening) return;
      this.#answer(network, network.waiting.shift(), true);
    }
  }

  #check(): void {
    const now = Date.now();
    const holders = [...this.#networks.values()].filter(({ idle }) => idle.size > 0);
    this.#admit();
    this.#shareOut(holders, now);
    this.#endLate(holders, now);
    for (const network of this.#turns) {
      const [first] = network.waiting;
      if (first && first.since <= now - MAX_WAIT_MS)
        this.#answer(network, network.waiting.shift(), false);
    }
    if (this.#turns.size === 0) this.#stopChecks();
  }

  /** Moves places from the network with the most places to waiting networks that have fewer. */
  #shareOut(holders: Network[], now: number): void {
    while (this.#turns.size > 0) {
      const crowded = holders.filter(({ idle }) => oldestOf(idle) <= now - CROWDED_IDLE_MS);
      const most = crowded.reduce((least, { places }) => Math.max(least, places), 0);
      const [oldest] = crowded.find(({ places }) => places === most)?.idle ?? [];
      const needy = firstWithFewer(this.#turns, most - 1);
      if (!oldest || !needy) return;
      oldest.release();
      oldest.expel("crowded");
      this.#answer(needy, needy.waiting.shift(), true);
    }
  }

  #endLate(holders: Network[], now: number): void {
    const late = holders.flatMap(({ idle }) =>
      [...idle].filter(({ since }) => since <= now - IDLE_MS),
    );
    for (const held of late) {
      if (this.#turns.size === 0) return;
      held.release();
      held.expel("late");
      this.#admit();
    }
  }

  #stopChecks(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function oldestOf(idle: Set<Held>): number {
  const [oldest] = idle;
  return oldest?.since ?? Number.POSITIVE_INFINITY;
}

function firstWithFewer(networks: Iterable<Network>, than: number): Network | null {
  for (const network of networks) if (network.places < than) return network;
  return null;
}
