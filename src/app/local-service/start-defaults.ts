import { join } from "node:path";
import type { Config, EffectiveVariable } from "../../runtime/config.js";
import type { VariableName } from "../../runtime/variables.js";

/** LOG_LEVEL of `npm start`, whose terminal shows addresses rather than every request. */
export const START_LOG_LEVEL = "warn";

/** File in the data folder with the password that `npm start` creates. */
export const ADMIN_PASSWORD_FILE = "admin-password";

/** A variable as `npm start` uses it. */
type StartVariable = Omit<EffectiveVariable, "source"> & {
  source: EffectiveVariable["source"] | "embedded" | "generated" | "npm start";
};

/** Replaces defaults with the values that `npm start` chooses for variables that are not set. */
export function asStarted(variables: EffectiveVariable[], config: Config): StartVariable[] {
  if (config.production && !config.embedded) return variables;
  const chosen = startDefaults(config);
  return variables.map((variable) => {
    const choice = variable.source === "default" ? chosen[variable.name] : undefined;
    return choice ? { ...variable, ...choice } : variable;
  });
}

function startDefaults({
  production,
  dataFolder,
  jwtPublicKey,
  jwtJwksUrl,
}: Config): Partial<Record<VariableName, Omit<StartVariable, "name">>> {
  const embedded = (store: string) =>
    ({ value: `(private ${store} in ${dataFolder})`, source: "embedded" }) as const;
  const generated = (file: string) =>
    ({ value: `(in ${join(dataFolder, file)}, not shown)`, source: "generated" }) as const;
  return {
    DATABASE_URL: embedded("PostgreSQL"),
    REDIS_URL: embedded("Redis"),
    LOG_LEVEL: { value: START_LOG_LEVEL, source: "npm start" },
    ...(!production && {
      ADMIN_PASSWORD: generated(ADMIN_PASSWORD_FILE),
      FILE_SIGNING_KEY: generated("file-signing-key"),
      ...(jwtPublicKey === null &&
        jwtJwksUrl === null && { JWT_PUBLIC_KEY: generated("development-key.pem") }),
    }),
  };
}
