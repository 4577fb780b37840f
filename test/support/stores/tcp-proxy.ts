import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy {
  /** The target's URL, with the address of the proxy in it. */
  url: string;
  /** Cuts what is open and refuses what comes, until `up`: a dead server. */
  down(): void;
  up(): void;
  /** Sends what comes from now on to another server; what is open stays. */
  aim(target: string): void;
  /** Breaks every connection; new ones are taken. */
  cut(): void;
  /**
   * Breaks every connection in the middle of what its server answers next, after so many bytes at
   * the most, until `heal`.
   */
  cutReplies(bytes: () => number): void;
  /** Lets nothing through and closes nothing, until `heal`: a peer that hangs. */
  freeze(): void;
  /**
   * Lets nothing more through what is open, and closes nothing, until `heal`; what comes from now
   * on passes.
   */
  mute(): void;
  /** Lets everything through this much later, until `heal`. */
  delay(ms: number): void;
  /** As `delay`, of the connections that are made from now on. */
  delayNew(ms: number): void;
  heal(): void;
  /** Connections that have ended. */
  readonly ended: number;
  close(): Promise<void>;
}

/** One way of a connection: what was read waits here in order. */
interface Way {
  from: Socket;
  to: Socket;
  isReply: boolean;
  isMute: boolean;
  waiting: { bytes: Buffer; at: number }[];
  delayMs: number;
  /** After so many bytes both ends are cut. */
  left: number;
}

/**
 * Stands between a client and a store, and does what networks and servers do. `listen` hears what
 * each client sends.
 */
export async function createTcpProxy(
  target: string,
  listen: () => (bytes: Buffer) => void = () => () => {},
): Promise<TcpProxy> {
  let aim = new URL(target);
  const ways = new Set<Way>();
  let isFrozen = false;
  let delayMs = 0;
  let delayNewMs = 0;
  let cutAfter: (() => number) | null = null;
  let ended = 0;

  function join(from: Socket, to: Socket, isReply: boolean): void {
    const way: Way = {
      from,
      to,
      isReply,
      isMute: false,
      waiting: [],
      delayMs: delayNewMs,
      left: isReply && cutAfter ? cutAfter() : Infinity,
    };
    ways.add(way);
    from.setNoDelay(true);
    if (isFrozen) from.pause();
    from.on("data", (bytes) => {
      const ms = delayMs + way.delayMs;
      way.waiting.push({ bytes, at: Date.now() + ms });
      if (ms > 0) setTimeout(() => pass(way), ms + 1);
      else pass(way);
    });
    from.on("error", () => {});
    from.on("close", () => {
      ways.delete(way);
      if (!isReply) ended++;
      to.destroy();
    });
  }

  function pass(way: Way): void {
    for (
      let first = way.waiting[0];
      first && !isFrozen && !way.isMute && first.at <= Date.now();
      first = way.waiting[0]
    ) {
      way.waiting.shift();
      way.to.write(first.bytes.subarray(0, way.left));
      way.left -= first.bytes.length;
      if (way.left > 0) continue;
      // `end` lets the part that was written out; a destroy would take it back.
      way.to.end();
      way.from.destroy();
      return;
    }
  }

  const server = createServer((client) => {
    const upstream = connect(Number(aim.port), aim.hostname);
    join(client, upstream, false);
    join(upstream, client, true);
    client.on("data", listen());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as AddressInfo).port;

  function cut(): void {
    for (const { from } of ways) from.destroy();
  }

  function down(): void {
    server.close();
    cut();
  }

  return {
    url: Object.assign(new URL(target), { hostname: "127.0.0.1", port: String(own) }).href,
    get ended() {
      return ended;
    },
    down,
    up: () => void (server.listening || server.listen(own, "127.0.0.1")),
    aim(other) {
      aim = new URL(other);
    },
    cut,
    cutReplies(bytes) {
      cutAfter = bytes;
      for (const way of ways) if (way.isReply) way.left = bytes();
    },
    freeze() {
      isFrozen = true;
      // Paused, so that it is not noticed either when the other end goes.
      for (const { from } of ways) from.pause();
    },
    mute() {
      for (const way of ways) {
        way.isMute = true;
        way.from.pause();
      }
    },
    delay(ms) {
      delayMs = ms;
    },
    delayNew(ms) {
      delayNewMs = ms;
    },
    heal() {
      isFrozen = false;
      delayMs = 0;
      delayNewMs = 0;
      cutAfter = null;
      for (const way of ways) {
        way.delayMs = 0;
        way.left = Infinity;
        way.isMute = false;
        for (const piece of way.waiting) piece.at = 0;
        pass(way);
        way.from.resume();
      }
    },
    async close() {
      down();
    },
  };
}
