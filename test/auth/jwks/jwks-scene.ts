import { afterEach, beforeEach } from "node:test";
import { createJwks, type Jwks } from "../../../src/auth/jwks.js";
import { createTokenVerifier, type TokenVerifier } from "../../../src/auth/token-verifier.js";
import { answerKeys, startKeyServer, type KeyServer } from "../key-server.js";
import { ecKey, makeToken, rsaKey, type TestKey } from "../make-token.js";

export const SECOND = 1000;
export const HOUR = 3_600_000;
export const first = rsaKey();
export const second = ecKey();

class Scene {
  /** Milliseconds of the test clock. */
  now = 0;
  server!: KeyServer;
  readonly timers: { callback: () => void; ms: number; cancelled: boolean }[] = [];
  readonly opened: { close(): void }[] = [];
}

export const scene = new Scene();

/** Creates a key server and a clock for each test of a file. */
export function useScene(): void {
  beforeEach(async () => {
    scene.now = 1_700_000_000_000;
    scene.timers.length = 0;
    scene.server = await startKeyServer(answerKeys({ first }));
  });

  afterEach(async () => {
    for (const one of scene.opened.splice(0)) one.close();
    await scene.server.close();
  });
}

export function token(key: TestKey, kid?: string, claims: Record<string, unknown> = {}): string {
  const payload = {
    iss: "https://id.example.com",
    aud: "photos",
    sub: "u1",
    email: "ada@example.com",
    exp: 4_000_000_000,
    ...claims,
  };
  return makeToken(key, payload, kid === undefined ? {} : { kid });
}

export function open(
  keys: { jwksUrl: string; timeoutMs?: number } = { jwksUrl: scene.server.url },
): TokenVerifier {
  const verifier = createTokenVerifier({
    keys: { ...keys, schedule },
    issuers: ["https://id.example.com"],
    audiences: ["photos"],
    clock: () => scene.now,
  });
  scene.opened.push(verifier);
  return verifier;
}

/** Runs the timer's callback and waits until the next timer is set, after the request. */
export async function runTimer(): Promise<void> {
  const scheduled = scene.timers.length;
  live().callback();
  while (scene.timers.length === scheduled) await new Promise(setImmediate);
}

/** Opens a verifier that has loaded its keys. */
export async function openWarm(): Promise<TokenVerifier> {
  const verifier = open();
  await verifier.verify(token(first, "first", { sub: "warm" }));
  return verifier;
}

export function openJwks(): Jwks {
  const jwks = createJwks({ url: new URL(scene.server.url), clock: () => scene.now, schedule });
  scene.opened.push(jwks);
  return jwks;
}

export function schedule(callback: () => void, ms: number): () => void {
  const timer = { callback, ms, cancelled: false };
  scene.timers.push(timer);
  return () => (timer.cancelled = true);
}

export function live(): { callback: () => void; ms: number } {
  return scene.timers.findLast((timer) => !timer.cancelled)!;
}
