import { parseConfig, readEnvironment, SECRET_NAMES } from "../config.js";
import { runCommand } from "../lifecycle.js";

/** As the configuration spells them: `DATABASE_URL` is `databaseUrl`. */
const SECRETS = new Set(SECRET_NAMES.map((name) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())));
const mask = (name: string, value: unknown) => (SECRETS.has(name) && value !== null ? "(set, not shown)" : value);

await runCommand(async () => {
  for (const [name, value] of Object.entries(parseConfig(readEnvironment(), []))) {
    const shown = mask(name, value);
    process.stdout.write(`${name.padEnd(26)} ${shown === value ? JSON.stringify(value, mask) : String(shown)}\n`);
  }
});
