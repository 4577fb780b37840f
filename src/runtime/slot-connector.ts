import { createConnection, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { AbstractConnector, Redis, type RedisOptions } from "ioredis";
import type { StoreHost } from "./store-urls.js";

const TIMEOUT_MS = 2000;
const RETRY_MS = 500;
const DISCONNECT_MS = 2000;

type Emit = (type: string, error: Error) => void;

/**
 * Returns a connector to the master of a Redis Cluster that owns the slot of `key`.
 *
 * All keys of the service have one hash tag and so one slot, and a notification reaches every node
 * from any node. So an ordinary client of one node is sufficient. It connects again after MOVED.
 */
export function slotConnector(
  nodes: readonly StoreHost[],
  key: string,
): NonNullable<RedisOptions["Connector"]> {
  return class extends SlotConnector {
    constructor(options: unknown) {
      super(options as RedisOptions, nodes, key);
    }
  };
}

class SlotConnector extends AbstractConnector {
  readonly #options: RedisOptions;
  readonly #configured: readonly StoreHost[];
  readonly #key: string;
  #nodes: readonly StoreHost[];
  #turn = 0;
  /** The connection that was ended last. */
  #left: unknown = null;

  constructor(options: RedisOptions, nodes: readonly StoreHost[], key: string) {
    super(options.disconnectTimeout ?? DISCONNECT_MS);
    this.#options = options;
    this.#configured = nodes;
    this.#nodes = nodes;
    this.#key = key;
  }

  /** A replica would refuse writes. */
  override check({ role }: { role?: string }): boolean {
    return role !== "slave";
  }

  /** Beware: ioredis gives up for good when this rejects. */
  override async connect(emit: Emit): Promise<Socket | TLSSocket> {
    this.connecting = true;
    for (;;) {
      const owner = await this.#findOwner(emit);
      if (!this.connecting) throw new Error("Connection is closed.");
      if (owner) return this.#open(owner);
      await pause(RETRY_MS);
    }
  }

  /** Each of many refused commands asks for it; one time per connection is enough. */
  override disconnect(): void {
    if (this.connecting || this.stream !== this.#left) super.disconnect();
    this.#left = this.stream;
  }

  #open(owner: StoreHost): Socket | TLSSocket {
    const { tls } = this.#options;
    const stream = tls ? connectTls({ ...owner, ...tls }) : createConnection(owner);
    stream.once("error", (error) => (this.firstError = error));
    this.stream = stream;
    return stream;
  }

  /**
   * Asks one node after the other. Each search begins with another node, because one that was cut
   * off from the others names an owner of the past.
   */
  async #findOwner(emit: Emit): Promise<StoreHost | null> {
    const start = this.#turn++;
    let fault = new Error("no node names the owner of the slot");
    for (let i = 0; i < this.#nodes.length && this.connecting; i++) {
      const node = this.#nodes[(start + i) % this.#nodes.length];
      const answer = node && (await this.#ask(node).catch((error: unknown) => error as Error));
      if (answer instanceof Error) fault = answer;
      else if (answer) return answer;
    }
    if (this.connecting) emit("error", fault);
    return null;
  }

  async #ask(node: StoreHost): Promise<StoreHost | null> {
    const { username, password, tls } = this.#options;
    const client = new Redis({
      ...node,
      ...(username && { username }),
      ...(password && { password }),
      ...(tls && { tls }),
      connectTimeout: TIMEOUT_MS,
      commandTimeout: TIMEOUT_MS,
      retryStrategy: null,
      enableReadyCheck: false,
    });
    // The commands report the same error.
    client.on("error", () => {});
    try {
      const slot = await client.cluster("KEYSLOT", this.#key);
      const ranges = await client.cluster("SLOTS");
      // A node that does not know its own address returns none.
      const named = ([host, port]: [string, number, ...unknown[]]) => ({
        host: host || node.host,
        port,
      });
      const range = ranges.find(([first, last]) => first <= slot && slot <= last);
      const known = ranges.flatMap(([, , ...nodes]) => nodes.map(named));
      this.#nodes = [...this.#configured, ...known.filter((one) => !this.#isConfigured(one))];
      const [, , master] = range ?? [];
      return master ? named(master) : null;
    } finally {
      client.disconnect();
    }
  }

  #isConfigured({ host, port }: StoreHost): boolean {
    return this.#configured.some((one) => one.host === host && one.port === port);
  }
}
