import { parseArgs } from "node:util";
import { loadOrCreateDevelopmentKey, signDevelopmentToken } from "../auth/development-key.js";
import { parseDuration } from "../auth/parse-duration.js";
import { ConfigError, parseConfig, readEnvironment } from "../config.js";
import { runCommand } from "../lifecycle.js";

const USAGE = "usage: npm run token -- --email a@b.c [--admin] [--expires 1h]";

await runCommand(async () => {
  const { email, admin, expires } = readArguments();
  const config = parseConfig(readEnvironment(), []);
  if (config.production) throw new ConfigError(["NODE_ENV is production, where no token of the development key is honoured"]);
  const key = await loadOrCreateDevelopmentKey(config.dataFolder);
  process.stdout.write(`${await signDevelopmentToken(key, { email, admin, expiresInSeconds: parseDuration(expires) })}\n`);
});

function readArguments(): { email: string; admin: boolean; expires: string } {
  try {
    const { values } = parseArgs({ options: { email: { type: "string" }, admin: { type: "boolean", default: false }, expires: { type: "string", default: "12h" } } });
    if (!values.email?.includes("@")) throw new Error("--email is missing, or is no e-mail address");
    return { email: values.email, admin: values.admin, expires: values.expires };
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error), USAGE]);
  }
}
