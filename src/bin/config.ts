import { parseConfig, readEnvironment } from "../config.js";
import { runCommand } from "../lifecycle.js";

const SECRETS = new Set(["databaseUrl", "redisUrl", "jwtPublicKey", "jwtJwksUrl", "fileSigningKey", "awsAccessKeyId", "awsSecretAccessKey"]);

await runCommand(async () => {
  const config = parseConfig(readEnvironment(), []);
  for (const [name, value] of Object.entries(config)) {
    const shown = value !== null && SECRETS.has(name) ? "(set, not shown)" : JSON.stringify(value);
    process.stdout.write(`${name.padEnd(26)} ${shown}\n`);
  }
});
