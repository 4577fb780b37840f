// Keeps the keys of a JWKS document up to date. jose's remote set has two flaws. After a failure it
// sends a request for every token. While the server hangs, keys older than cacheMaxAge fail every
// token.
//
// So jose only chooses the key (createLocalJWKSet). Here a token never waits for a server that has
// just answered or failed.
import { createLocalJWKSet, errors, type JWK } from "jose";
import { ServiceUnavailableError } from "../domain/errors.js";
import type { Logger } from "../runtime/logger.js";
import { fetchJwks } from "./fetch-jwks.js";
import type { ChosenKeys, KeyChoice, KeyReadiness, KeySource } from "./key-source.js";

const REFRESH_MS = 10 * 60_000;
/** Pause after an answer, in which an unknown key does not cause another request. */
const COOL_DOWN_MS = 30_000;
const BACK_OFF_MS = { first: 1000, longest: 60_000 };
/** Time for which the last good keys are trusted without an answer of the server. */
const TRUST_MS = 24 * 3_600_000;

/** Calls `callback` once after `ms`; returns a function that cancels the call. */
export type Schedule = (callback: () => void, ms: number) => () => void;

export interface JwksOptions {
  url: URL;
  /** Timeout of one request; default 5000. */
  timeoutMs?: number;
  /** Milliseconds since 1970. */
  clock?: () => number;
  /** Default: timers that do not keep the process alive. */
  schedule?: Schedule;
  logger?: Logger | undefined;
}

export interface Jwks extends KeySource {
  /** Requests the keys now, or joins the running request. Never rejects; see readiness(). */
  refresh(): Promise<void>;
}

interface KeySet {
  choose: ReturnType<typeof createLocalJWKSet>;
  fingerprint: string;
  generation: number;
  fetchedAt: number;
}

/** Fetches the keys at once and then every 10 minutes, until close(). */
export function createJwks(options: JwksOptions): Jwks {
  const keys = new HeldKeys(options.clock ?? Date.now);
  const requests = createKeyRequests(options, (fetched) => keys.replace(fetched));

  async function choose(choice: KeyChoice): Promise<ChosenKeys> {
    const current = await keys.choose(choice);
    if (current) return current;
    await requests.refreshIfDue();
    const refreshed = await keys.choose(choice);
    if (refreshed) return refreshed;
    // The token may be signed with a new key that cannot be fetched now. That is not a reason to
    // sign its user out.
    if (requests.isFailing() || !keys.trusted())
      throw new ServiceUnavailableError("The key server cannot be reached: try again in a moment.");
    throw new errors.JWKSNoMatchingKey();
  }

  function readiness(): KeyReadiness {
    const isFailing = requests.isFailing();
    if (!keys.trusted())
      return {
        ready: false,
        reason: isFailing ? "The key server returned no keys." : "The keys are not loaded yet.",
      };
    return {
      ready: true,
      reason: isFailing ? "The key server does not answer; its last keys are in use." : null,
    };
  }

  const { refresh, close } = requests;
  void refresh();
  return { choose, refresh, generation: () => keys.trusted()?.generation ?? 0, readiness, close };
}

/** The keys of the last good answer, while they are trusted. */
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

  /** Returns null if no trusted key matches. */
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

/** Requests keys at intervals, and when a token needs an unknown key. */
function createKeyRequests(options: JwksOptions, accept: (keys: JWK[]) => void) {
  const { url, timeoutMs = 5000, clock = Date.now, schedule = unrefTimeout, logger } = options;
  let failures = 0;
  let nextRequestAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  let abort: AbortController | null = null;
  let cancelNext: (() => void) | null = null;
  let closed = false;

  function refresh(): Promise<void> {
    running ??= request().finally(() => (running = null));
    return running;
  }

  async function request(): Promise<void> {
    cancelNext?.();
    if (closed) return;
    try {
      abort = new AbortController();
      accept(await fetchInTime(url, abort, timeoutMs));
      failures = 0;
      nextRequestAt = clock() + COOL_DOWN_MS;
    } catch (error) {
      fail(error);
    }
    if (!closed)
      cancelNext = schedule(() => void refresh(), failures > 0 ? backOff(failures) : REFRESH_MS);
  }

  function fail(error: unknown): void {
    if (closed) return;
    failures += 1;
    nextRequestAt = clock() + backOff(failures);
    logger?.warn(
      { err: error, failures },
      "the key server returned no keys; the last good keys are used while they are trusted",
    );
  }

  return {
    refresh,
    isFailing: () => failures > 0,

    /** Sends at most one request per cool-down or back-off, however many tokens need one. */
    async refreshIfDue(): Promise<void> {
      if (running || clock() >= nextRequestAt) await refresh();
    },

    close(): void {
      closed = true;
      cancelNext?.();
      abort?.abort(new Error("The service is closing."));
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
