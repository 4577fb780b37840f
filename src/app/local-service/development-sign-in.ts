import { loadOrCreateDevelopmentKey, signDevelopmentToken } from "../../auth/development-key.js";
import type { Config } from "../../runtime/config.js";

const WEEK_SECONDS = 7 * 24 * 3600;

/**
 * Makes a token of the person at this machine, good for a week; null where the development key is
 * not honoured.
 */
export function developmentSignIn(
  config: Pick<Config, "production" | "jwtPublicKey" | "jwtJwksUrl" | "dataFolder">,
): (() => Promise<string>) | null {
  if (config.production || config.jwtPublicKey !== null || config.jwtJwksUrl !== null) return null;
  return async () =>
    signDevelopmentToken(await loadOrCreateDevelopmentKey(config.dataFolder), {
      email: "you@example.com",
      name: "You",
      expiresInSeconds: WEEK_SECONDS,
    });
}
