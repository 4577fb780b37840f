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
  /** Generation of the key set that they come from. */
  generation: number;
}

export interface KeyReadiness {
  /** True if a token can be verified now. */
  ready: boolean;
  /**
   * The fault in one sentence without addresses, also while old keys are still in use; otherwise
   * null.
   */
  reason: string | null;
}

/** The source of the keys that verify tokens. */
export interface KeySource {
  /**
   * Returns the keys to try. Throws ServiceUnavailableError if the necessary keys are unavailable.
   */
  choose(choice: KeyChoice): Promise<ChosenKeys>;
  /**
   * Changes with the keys: a token verified by another generation must be verified again. 0 means
   * no trusted keys.
   */
  generation(): number;
  readiness(): KeyReadiness;
  close(): void;
}

/** Creates keys that do not change. Throws the errors of parsePublicKeys. */
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
