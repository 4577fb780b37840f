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
 * Creates the verifier of tokens: with the configured key, else, outside production, with the
 * development key of this folder.
 */
export async function createVerifier(config: Config, log: Logger): Promise<TokenVerifier> {
  const keys = await chooseKeys(config);
  const isDevelopment = "development" in keys;
  try {
    return createTokenVerifier({
      keys,
      issuers: isDevelopment ? [DEVELOPMENT_ISSUER] : config.jwtIssuers,
      audiences: isDevelopment ? [DEVELOPMENT_AUDIENCE] : config.jwtAudiences,
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
      "JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: one of them is needed to verify tokens",
    ]);
  return { development: await loadOrCreateDevelopmentKey(config.dataFolder) };
}

const WEEK_SECONDS = 7 * 24 * 3600;

/**
 * Creates a token for the local user, valid for a week; null when the development key is not
 * accepted.
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
