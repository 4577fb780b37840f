import type { CryptoKey, KeyObject } from "jose";
import type { DevelopmentKey } from "./development-key.js";
import { parsePublicKeys, type PublicKey, type SignatureAlgorithm } from "./public-keys.js";

/** The part of a token's header that chooses a key. */
export interface KeyChoice {
  alg: SignatureAlgorithm;
  kid?: string;
}

export interface ChosenKeys {
  keys: readonly (CryptoKey | KeyObject)[];
  /** The generation of the set that they are from. */
  generation: number;
}

export interface KeyReadiness {
  /** A token can be verified now. */
  ready: boolean;
  /**
   * What is wrong, in one sentence without addresses; also when old keys still serve. Null when all
   * is well.
   */
  reason: string | null;
}

/** Where keys that verify tokens come from. */
export interface KeySource {
  /**
   * Keys worth trying. Throws ServiceUnavailableError when keys are needed that cannot be had now.
   */
  choose(choice: KeyChoice): Promise<ChosenKeys>;
  /**
   * Changes when the keys do: what was verified by another generation must be verified again. 0: no
   * keys to trust.
   */
  generation(): number;
  readiness(): KeyReadiness;
  close(): void;
}

/** Keys that stay as they are for the life of the process. Throws what parsePublicKeys throws. */
export function createFixedKeys(
  keys: { pem: string } | { development: DevelopmentKey },
): KeySource {
  const all: PublicKey[] = "pem" in keys ? parsePublicKeys(keys.pem) : [keys.development.publicKey];
  return {
    choose: async ({ alg }) => ({
      keys: all.filter((one) => one.algorithm === alg).map((one) => one.key),
      generation: 1,
    }),
    generation: () => 1,
    readiness: () => ({ ready: true, reason: null }),
    close: () => undefined,
  };
}
