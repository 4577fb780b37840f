import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** State shared by all directions of a proxy. */
interface Weather {
  isFrozen: boolean;
  delayMs: number;
}

/** One direction of a connection, which queues bytes in order. */
class Way {
  readonly from: Socket;
  readonly isReply: boolean;
  readonly #to: Socket;
  readonly #weather: Weather;
  #waiting: { bytes: Buffer; at: number }[] = [];
  #isMute = false;
  #delayMs: number;
  /** Remaining bytes before both ends are cut. */
  #left: number;

  constructor(
    sockets: { from: Socket; to: Socket; isReply: boolean },
    weather: Weather,
    { delayMs, left }: { delayMs: number; left: number },
  ) {
    this.from = sockets.from;
    this.isReply = sockets.isReply;
    this.#to = sockets.to;
    this.#weather = weather;
    this.#delayMs = delayMs;
    this.#left = left;
    this.from.setNoDelay(true);
    if (weather.isFrozen) this.from.pause();
    this.from.on("data", (bytes) => {
      const ms = weather.delayMs + this.#delayMs;
      this.#waiting.push({ bytes, at: Date.now() + ms });
      if (ms > 0) setTimeout(() => this.#pass(), ms + 1);
      else this.#pass();
    });
    this.from.on("error", () => {});
    this.from.on("close", () => this.#to.destroy());
  }

  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  mute(): void {
    this.#isMute = true;
    this.from.pause();
  }

  heal(): void {
    this.#delayMs = 0;
    this.#left = Infinity;
    this.#isMute = false;
    for (const piece of this.#waiting) piece.at = 0;
    this.#pass();
    this.from.resume();
  }

  #pass(): void {
    for (
      let [first] = this.#waiting;
      first && !this.#weather.isFrozen && !this.#isMute && first.at <= Date.now();
      [first] = this.#waiting
    ) {
      this.#waiting.shift();
      this.#to.write(first.bytes.subarray(0, this.#left));
      this.#left -= first.bytes.length;
      if (this.#left > 0) continue;
      // `end` still sends the part already written; `destroy` would discard it.
      this.#to.end();
      this.from.destroy();
      return;
    }
  }
}

/** A proxy between a client and a store that simulates network and server faults. */
export class TcpProxy {
  /** The target's URL, with the host and port of the proxy. */
  readonly url: string;
  readonly #server: Server;
  readonly #port: number;
  readonly #ways = new Set<Way>();
  readonly #weather: Weather = { isFrozen: false, delayMs: 0 };
  #target: URL;
  #delayNewMs = 0;
  #cutAfter: (() => number) | null = null;
  #ended = 0;

  /** `server` must already listen. */
  constructor(server: Server, target: string, listen: () => (bytes: Buffer) => void) {
    this.#server = server;
    this.#target = new URL(target);
    this.#port = (server.address() as AddressInfo).port;
    const address = { hostname: "127.0.0.1", port: String(this.#port) };
    this.url = Object.assign(new URL(target), address).href;
    server.on("connection", (client) => {
      const upstream = connect(Number(this.#target.port), this.#target.hostname);
      this.#join(client, upstream, false);
      this.#join(upstream, client, true);
      client.on("data", listen());
    });
  }

  #join(from: Socket, to: Socket, isReply: boolean): void {
    const way = new Way({ from, to, isReply }, this.#weather, {
      delayMs: this.#delayNewMs,
      left: isReply && this.#cutAfter ? this.#cutAfter() : Infinity,
    });
    this.#ways.add(way);
    from.on("close", () => {
      this.#ways.delete(way);
      if (!isReply) this.#ended++;
    });
  }

  /** Number of connections that have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** Simulates a dead server: cuts and refuses connections until `up`. */
  down(): void {
    this.#server.close();
    this.cut();
  }

  up(): void {
    if (!this.#server.listening) this.#server.listen(this.#port, "127.0.0.1");
  }

  /** Sends new connections to another server; open ones stay. */
  aim(target: string): void {
    this.#target = new URL(target);
  }

  /** Cuts every connection, or those that `isCut` chooses; new ones are accepted. */
  cut(isCut: () => boolean = () => true): void {
    for (const { from } of this.#ways) if (isCut()) from.destroy();
  }

  /** Cuts every connection within the server's next reply, after that many bytes, until `heal`. */
  cutReplies(bytes: () => number): void {
    this.#cutAfter = bytes;
    for (const way of this.#ways) if (way.isReply) way.cutAfter(bytes());
  }

  /** Simulates a hanging peer: passes no bytes and closes nothing, until `heal`. */
  freeze(): void {
    this.#weather.isFrozen = true;
    // Paused sockets do not notice that the other end has closed either.
    for (const { from } of this.#ways) from.pause();
  }

  /** Like `freeze`, but only for open connections; new ones pass. */
  mute(): void {
    for (const way of this.#ways) way.mute();
  }

  /** Delays all bytes by that time, until `heal`. */
  delay(ms: number): void {
    this.#weather.delayMs = ms;
  }

  /** Like `delay`, but only for new connections. */
  delayNew(ms: number): void {
    this.#delayNewMs = ms;
  }

  heal(): void {
    Object.assign(this.#weather, { isFrozen: false, delayMs: 0 });
    this.#delayNewMs = 0;
    this.#cutAfter = null;
    for (const way of this.#ways) way.heal();
  }

  async close(): Promise<void> {
    this.down();
  }
}

/** `listen` is called per client, and returns a function that receives the client's bytes. */
export async function createTcpProxy(
  target: string,
  listen: () => (bytes: Buffer) => void = () => () => {},
): Promise<TcpProxy> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new TcpProxy(server, target, listen);
}
