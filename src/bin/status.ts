import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";
import { readServiceFile } from "../app/local-service/service-file.js";

const { json } = readCommandLine(
  {
    name: "npm run status",
    about: "Print what runs from this folder, and where it is reached.",
    options: { json: { type: "boolean", about: "Print it as JSON." } },
    examples: ["--json"],
  },
  (values) => values,
);

await runCommand(async () => {
  const { dataFolder } = parseConfig(readEnvironment(), []);
  const service = await readServiceFile(dataFolder);
  if (!service) {
    process.stderr.write("No service runs from this folder: npm start starts one.\n");
    process.exitCode = 1;
    return;
  }
  // What opens the databases is for commands, not for eyes.
  const { databaseUrl: _, redisUrl: __, ...told } = service;
  if (json) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  else
    for (const [name, value] of Object.entries(told))
      process.stdout.write(`${name.padEnd(14)} ${value}\n`);
});
