import {
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  loadOrCreateDevelopmentKey,
  signDevelopmentToken,
} from "../auth/development-key.js";
import { createTokenVerifier, type TokenKeys, type TokenVerifier } from "../auth/token-verifier.js";
import { ConfigError, type Config } from "../runtime/config.js";
import type { Logger } from "../runtime/logger.js";

/**
 * How this process verifies tokens: by the configured key, else, outside production, by the one
 * that this folder made for itself.
 */
export async function createVerifier(config: Config, log: Logger): Promise<TokenVerifier> {
  const keys = await chooseKeys(config);
  const own = "development" in keys;
  try {
    return createTokenVerifier({
      keys,
      issuers: own ? [DEVELOPMENT_ISSUER] : config.jwtIssuers,
      audiences: own ? [DEVELOPMENT_AUDIENCE] : config.jwtAudiences,
      logger: log,
    });
  } catch (error) {
    throw new ConfigError([
      `${config.jwtPublicKey === null ? "JWT_JWKS_URL" : "JWT_PUBLIC_KEY"}: ` +
        `${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

async function chooseKeys(config: Config): Promise<TokenKeys> {
  if (config.jwtPublicKey !== null) return { pem: config.jwtPublicKey };
  if (config.jwtJwksUrl !== null) return { jwksUrl: config.jwtJwksUrl };
  if (config.production)
    throw new ConfigError([
      "JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: it tells how tokens are verified",
    ]);
  return { development: await loadOrCreateDevelopmentKey(config.dataFolder) };
}

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
