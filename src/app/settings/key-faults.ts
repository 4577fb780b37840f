import { parseJwksUrl } from "../../auth/fetch-jwks.js";
import { parsePublicKeys } from "../../auth/parse-public-keys.js";
import type { Config } from "../../runtime/config.js";

/**
 * What is wrong with the keys that tokens are verified by, a sentence each; the keys themselves are
 * not quoted.
 */
export function keyFaults({ jwtPublicKey, jwtJwksUrl }: Config): string[] {
  return [
    ...faultOf("JWT_PUBLIC_KEY", () => jwtPublicKey !== null && parsePublicKeys(jwtPublicKey)),
    ...faultOf("JWT_JWKS_URL", () => jwtJwksUrl !== null && parseJwksUrl(jwtJwksUrl)),
  ];
}

function faultOf(name: string, parse: () => unknown): string[] {
  try {
    parse();
    return [];
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
