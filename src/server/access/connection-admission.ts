// Decides which sockets may open. A socket holds one of a few places from its upgrade until it has
// signed in; the others wait before their upgrade, where they cost a connection and nothing else.
// Nobody needs a token to get this far, so networks share the places, and a peer that says nothing
// loses its place when others wait.

/** The place of a socket that has not signed in yet. */
export interface Place {
  /** Its sign-in is under way: it is not idle any more. */
  onSignIn(): void;
  /** It has signed in, or is being closed. */
  leave(): void;
}

/**
 * Why an idle socket must go: it took too long, or its network has more than its share of the
 * places.
 */
export type ExpelReason = "late" | "crowded";

type Answer = (mayOpen: boolean) => void;
type Expel = (reason: ExpelReason) => void;

interface Held {
  since: number;
  /** Gives the place back, once. */
  release(): void;
  expel: Expel;
}

interface Network {
  places: number;
  /** Sockets that have said nothing yet, oldest first. */
  idle: Set<Held>;
  /** First come, first served. */
  waiting: { since: number; answer: Answer }[];
}

/** For a place: shorter than any client's own timeout. */
const MAX_WAIT_MS = 8000;
const MAX_WAITING = 10_000;
/** Until an idle socket must go when others wait. */
const IDLE_MS = 2000;
/**
 * The same, when its network has more places than one that waits: honest clients have begun to sign
 * in by then.
 */
const CROWDED_IDLE_MS = 500;
const CHECK_MS = 50;

export class ConnectionAdmission {
  readonly #maxOpening: number;
  readonly #networks = new Map<string, Network>();
  /** Networks that wait, in the order of their turns. */
  readonly #turns = new Set<Network>();
  #opening = 0;
  #waiting = 0;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(maxOpening: number) {
    this.#maxOpening = maxOpening;
  }

  /**
   * Calls back with true when a socket of this network may open, at once if there is room; with
   * false when there is no place in time.
   */
  request(network: string, answer: Answer): void {
    if (this.#closed) answer(false);
    else if (this.#opening < this.#maxOpening) answer(true);
    else this.#wait(network, answer);
  }

  /** A socket has opened. `expel` closes it; its place is free already then. */
  enter(name: string, expel: Expel): Place {
    const network = this.#networkNamed(name);
    let counted = true;
    const release = () => {
      if (!counted) return;
      counted = false;
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

  /** Sockets that have a place now. */
  get opening(): number {
    return this.#opening;
  }

  /** How long the first of those that wait has waited; 0 when none does. */
  get longestWaitSeconds(): number {
    const now = Date.now();
    const first = [...this.#turns].reduce(
      (least, { waiting }) => Math.min(least, waiting[0]?.since ?? now),
      now,
    );
    return (now - first) / 1000;
  }

  /** Refuses those that wait, and all later ones. */
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
    if (!this.#hasRoomInLine(network)) {
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
    // Behind what has come in: on a busy process the sign-in of an honest client may be there, and
    // not read yet.
    this.#timer ??= setInterval(() => setImmediate(() => this.#check()), CHECK_MS);
  }

  /** Where the line is full, the network with the most in it makes room for one with less. */
  #hasRoomInLine(network: Network): boolean {
    if (this.#waiting < MAX_WAITING) return true;
    const longest = [...this.#turns].reduce(
      (a, b) => (b.waiting.length > a.waiting.length ? b : a),
      network,
    );
    if (longest.waiting.length <= network.waiting.length + 1) return false;
    this.#answer(longest, longest.waiting.pop(), false);
    return true;
  }

  /** Answers what has just left the line of this network, which goes to the end of the turns. */
  #answer(network: Network, waiting: { answer: Answer } | undefined, mayOpen: boolean): void {
    this.#waiting--;
    this.#turns.delete(network);
    if (network.waiting.length > 0) this.#turns.add(network);
    waiting?.answer(mayOpen);
  }

  /** A peer that went away while it waited takes no place, and the next one has its turn. */
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

  /** Takes places of the fullest network for others that wait, while these have fewer. */
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
