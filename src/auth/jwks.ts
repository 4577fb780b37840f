// Keys of a JWKS document, kept fresh by ourselves. jose's own remote set asks again for every
// token once the server fails, and one older than its cacheMaxAge fails every token while the
// server hangs; so only the choice of a key is jose's (createLocalJWKSet). Here a token never waits
// for a server that answered, or failed, a moment ago.
import { createLocalJWKSet, errors, type JWK } from "jose";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { fetchJwks } from "./fetch-jwks.js";
import type { ChosenKeys, KeyChoice, KeyReadiness, KeySource } from "./key-source.js";

const REFRESH_MS = 10 * 60_000;
/** After an answer, how long a key that is not in it cannot make us ask again. */
const COOL_DOWN_MS = 30_000;
const BACK_OFF_MS = { first: 1000, longest: 60_000 };
/** The last good keys verify this long without an answer of the server. */
const TRUST_MS = 24 * 3_600_000;

/** Calls back once after `ms`; returns what prevents it. */
export type Schedule = (callback: () => void, ms: number) => () => void;

export interface JwksOptions {
  url: URL;
  /** One request may take this long; 5000. */
  timeoutMs?: number;
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** By default timers that do not keep the process alive. */
  schedule?: Schedule;
  logger?: Logger | undefined;
}

export interface Jwks extends KeySource {
  /**
   * Asks the server now, or joins the request that is under way; never rejects, see readiness().
   */
  refresh(): Promise<void>;
}

interface KeySet {
  choose: ReturnType<typeof createLocalJWKSet>;
  fingerprint: string;
  generation: number;
  fetchedAt: number;
}

/** Begins to fetch at once and again every 10 minutes, until close(). */
export function createJwks(options: JwksOptions): Jwks {
  const keys = new HeldKeys(options.clock ?? Date.now);
  const requests = createKeyRequests(options, (fetched) => keys.replace(fetched));

  async function choose(choice: KeyChoice): Promise<ChosenKeys> {
    const found = await keys.choose(choice);
    if (found) return found;
    await requests.refreshIfDue();
    const foundNow = await keys.choose(choice);
    if (foundNow) return foundNow;
    // The token may be signed with a new key that we cannot learn of now: that is no reason to sign
    // its user out.
    if (requests.isFailing() || !keys.trusted())
      throw new ServiceUnavailableError("The key server cannot be reached: try again in a moment.");
    throw new errors.JWKSNoMatchingKey();
  }

  function readiness(): KeyReadiness {
    const isFailing = requests.isFailing();
    if (!keys.trusted())
      return {
        ready: false,
        reason: isFailing ? "The key server gave no keys." : "The keys are not here yet.",
      };
    return {
      ready: true,
      reason: isFailing ? "The key server does not answer; its last keys are used." : null,
    };
  }

  const { refresh, close } = requests;
  void refresh();
  return { choose, refresh, generation: () => keys.trusted()?.generation ?? 0, readiness, close };
}

/** The keys of the last good answer, as long as they are trusted. */
class HeldKeys {
  readonly #clock: () => number;
  #held: KeySet | null = null;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  replace(keys: JWK[]): void {
    const held = this.#held;
    const fingerprint = keys
      .map((key) => JSON.stringify(key))
      .sort()
      .join();
    const generation = (held?.generation ?? 0) + (held?.fingerprint === fingerprint ? 0 : 1);
    const choose = createLocalJWKSet({ keys });
    this.#held = { choose, fingerprint, generation, fetchedAt: this.#clock() };
  }

  trusted(): KeySet | null {
    const held = this.#held;
    return held && this.#clock() - held.fetchedAt < TRUST_MS ? held : null;
  }

  /** Null when no trusted key is the one. */
  async choose(choice: KeyChoice): Promise<ChosenKeys | null> {
    const set = this.trusted();
    if (!set) return null;
    try {
      return { keys: [await set.choose({ ...choice })], generation: set.generation };
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      throw error;
    }
  }
}

/** Asks the key server: at its time, and when a token needs a key that is not here. */
function createKeyRequests(options: JwksOptions, accept: (keys: JWK[]) => void) {
  const { url, timeoutMs = 5000, clock = Date.now, schedule = unrefTimeout, logger } = options;
  let failures = 0;
  let askableAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;
  let request: AbortController | null = null;
  let cancelNext: (() => void) | null = null;
  let closed = false;

  function refresh(): Promise<void> {
    asking ??= ask().finally(() => (asking = null));
    return asking;
  }

  async function ask(): Promise<void> {
    cancelNext?.();
    if (closed) return;
    try {
      request = new AbortController();
      accept(await fetchInTime(url, request, timeoutMs));
      failures = 0;
      askableAt = clock() + COOL_DOWN_MS;
    } catch (error) {
      fail(error);
    }
    if (!closed)
      cancelNext = schedule(() => void refresh(), failures > 0 ? backOff(failures) : REFRESH_MS);
  }

  function fail(error: unknown): void {
    if (closed) return;
    failures += 1;
    askableAt = clock() + backOff(failures);
    logger?.warn(
      { err: error, failures },
      "the key server gave no keys; the last good ones serve while they are trusted",
    );
  }

  return {
    refresh,
    isFailing: () => failures > 0,

    /** At most one request per cool-down or back-off, however many tokens ask. */
    async refreshIfDue(): Promise<void> {
      if (asking || clock() >= askableAt) await refresh();
    },

    close(): void {
      closed = true;
      cancelNext?.();
      request?.abort(new Error("The service is closing."));
    },
  };
}

async function fetchInTime(url: URL, request: AbortController, timeoutMs: number): Promise<JWK[]> {
  const cancel = unrefTimeout(
    () => request.abort(new Error(`The key server did not answer within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    return await fetchJwks(url, request.signal);
  } finally {
    cancel();
  }
}

function backOff(failures: number): number {
  return Math.min(BACK_OFF_MS.first * 2 ** (failures - 1), BACK_OFF_MS.longest);
}

function unrefTimeout(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
