// Finds the primary among several hosts. The driver's own choice is not used: while no host is
// reachable it tries them again and again without a pause, and its statements wait.
import { connect, type Socket } from "node:net";
import postgres, { type Sql } from "postgres";
import { withTimeout } from "../runtime/deadline.js";
import type { DatabasePlace, StoreHost } from "../runtime/store-urls.js";

const CHECK_MS = 1000;
const ANSWER_MS = 2000;

/** The host of a database that accepts writes. */
export class WritableHost {
  readonly #place: DatabasePlace;
  #timer: NodeJS.Timeout | undefined;
  #chosen: Promise<StoreHost> | null = null;
  /** A connection to the chosen host, which is asked regularly. */
  #watched: { host: StoreHost; sql: Sql } | null = null;
  #checking = false;

  constructor(place: DatabasePlace) {
    this.#place = place;
  }

  /** Calls back when another server has become the primary, within about 3 s. */
  onMoved(moved: (host: StoreHost) => void): void {
    this.#timer = setInterval(() => void this.#check(moved), CHECK_MS).unref();
  }

  /** Opens a socket to the host that accepts writes, for the driver's option `socket`. */
  connect = async (): Promise<Socket> => {
    const host = await this.#choose();
    return Object.assign(connect(host), host);
  };

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#unwatch();
  }

  async #choose(): Promise<StoreHost> {
    const choice = (this.#chosen ??= this.#find());
    try {
      return await choice;
    } catch (error) {
      if (this.#chosen === choice) this.#chosen = null;
      throw error;
    }
  }

  async #find(): Promise<StoreHost> {
    const asked = this.#place.hosts.map(async (host) => {
      const sql = this.#open(host);
      try {
        if (await acceptsWrites(sql)) return host;
      } finally {
        void sql.end({ timeout: 0 });
      }
      throw Object.assign(new Error(`The PostgreSQL at ${host.host}:${host.port} is read-only.`), {
        code: READ_ONLY,
      });
    });
    return Promise.any(asked).catch(({ errors }: AggregateError) => {
      throw errors.find(({ code }: { code?: string }) => code === READ_ONLY) ?? errors[0];
    });
  }

  async #check(moved: (host: StoreHost) => void): Promise<void> {
    if (this.#checking || !this.#chosen) return;
    this.#checking = true;
    const current = await this.#chosen.catch(() => null);
    const next = current && (await this.#successorOf(current));
    this.#checking = false;
    if (!next) return;
    this.#chosen = Promise.resolve(next);
    moved(next);
  }

  /**
   * Returns null while the host is the primary. A host that does not answer is left only for
   * another one, because it may only be busy. Behind one name the primary may have moved, too.
   */
  async #successorOf(current: StoreHost): Promise<StoreHost | null> {
    const answer = await acceptsWrites(this.#watch(current)).catch(() => null);
    if (answer === true) return null;
    await this.#unwatch();
    const next = await this.#find().catch(() => null);
    return next === current && answer === null ? null : next;
  }

  #watch(host: StoreHost): Sql {
    if (this.#watched?.host !== host) {
      void this.#unwatch();
      this.#watched = { host, sql: this.#open(host) };
    }
    return this.#watched.sql;
  }

  #open({ host, port }: StoreHost): Sql {
    return postgres(this.#place.url, {
      host,
      port,
      max: 1,
      connect_timeout: 2,
      fetch_types: false,
      onnotice: () => {},
      connection: { application_name: "photo-service primary" },
    });
  }

  async #unwatch(): Promise<void> {
    const watched = this.#watched;
    this.#watched = null;
    await watched?.sql.end({ timeout: 0 });
  }
}

const READ_ONLY = "25006";

/** Throws when the server cannot be reached, or does not answer in time. */
async function acceptsWrites(sql: Sql): Promise<boolean> {
  const asked = sql<{ readOnly: string }[]>`
    select current_setting('transaction_read_only') as "readOnly"`;
  const [row] = await withTimeout(asked, ANSWER_MS, () => {
    throw new Error("PostgreSQL does not answer.");
  });
  return row?.readOnly === "off";
}
