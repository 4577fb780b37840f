import { parseArgs } from "node:util";
import { parseConfig, readEnvironment } from "../config.js";
import { runCommand } from "../lifecycle.js";
import { readServiceFile } from "./service-file.js";

await runCommand(async () => {
  const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
  const { dataFolder } = parseConfig(readEnvironment(), []);
  const service = await readServiceFile(dataFolder);
  if (!service) {
    process.stderr.write("No service runs from this folder: npm start starts one.\n");
    process.exitCode = 1;
    return;
  }
  // What opens the databases is for commands, not for eyes.
  const { databaseUrl: _, redisUrl: __, ...told } = service;
  if (values.json) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else for (const [name, value] of Object.entries(told)) process.stdout.write(`${name.padEnd(14)} ${value}\n`);
});
