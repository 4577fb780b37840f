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
export function createJwks({
  url,
  timeoutMs = 5000,
  clock = Date.now,
  schedule = unrefTimeout,
  logger,
}: JwksOptions): Jwks {
  let held: KeySet | null = null;
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
      accept(await fetchInTime());
    } catch (error) {
      fail(error);
    }
    if (!closed)
      cancelNext = schedule(() => void refresh(), failures > 0 ? backOff(failures) : REFRESH_MS);
  }

  async function fetchInTime(): Promise<JWK[]> {
    const controller = (request = new AbortController());
    const cancel = unrefTimeout(
      () => controller.abort(new Error(`The key server did not answer within ${timeoutMs} ms.`)),
      timeoutMs,
    );
    try {
      return await fetchJwks(url, controller.signal);
    } finally {
      cancel();
    }
  }

  function accept(keys: JWK[]): void {
    const fingerprint = keys
      .map((key) => JSON.stringify(key))
      .sort()
      .join();
    const generation = (held?.generation ?? 0) + (held?.fingerprint === fingerprint ? 0 : 1);
    held = { choose: createLocalJWKSet({ keys }), fingerprint, generation, fetchedAt: clock() };
    failures = 0;
    askableAt = clock() + COOL_DOWN_MS;
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

  function trusted(): KeySet | null {
    return held && clock() - held.fetchedAt < TRUST_MS ? held : null;
  }

  /**
   * For a token that needs what we lack: at most one request per cool-down or back-off, however
   * many tokens.
   */
  async function askIfDue(): Promise<void> {
    if (asking || clock() >= askableAt) await refresh();
  }

  async function chooseFrom(set: KeySet | null, choice: KeyChoice): Promise<ChosenKeys | null> {
    if (!set) return null;
    try {
      return { keys: [await set.choose({ ...choice })], generation: set.generation };
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      throw error;
    }
  }

  async function choose(choice: KeyChoice): Promise<ChosenKeys> {
    const found = await chooseFrom(trusted(), choice);
    if (found) return found;
    await askIfDue();
    const foundNow = await chooseFrom(trusted(), choice);
    if (foundNow) return foundNow;
    // The token may be signed with a new key that we cannot learn of now: that is no reason to sign
    // its user out.
    if (failures > 0 || !trusted())
      throw new ServiceUnavailableError("The key server cannot be reached: try again in a moment.");
    throw new errors.JWKSNoMatchingKey();
  }

  function readiness(): KeyReadiness {
    if (!trusted())
      return {
        ready: false,
        reason: failures > 0 ? "The key server gave no keys." : "The keys are not here yet.",
      };
    return {
      ready: true,
      reason: failures > 0 ? "The key server does not answer; its last keys are used." : null,
    };
  }

  function close(): void {
    closed = true;
    cancelNext?.();
    request?.abort(new Error("The service is closing."));
  }

  void refresh();
  return { choose, refresh, generation: () => trusted()?.generation ?? 0, readiness, close };
}

function backOff(failures: number): number {
  return Math.min(BACK_OFF_MS.first * 2 ** (failures - 1), BACK_OFF_MS.longest);
}

function unrefTimeout(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
