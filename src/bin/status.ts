import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";
import { readServiceFile } from "../app/local-service/service-file.js";

const { json } = readCommandLine(
  {
    name: "npm run status",
    about: "Print the service that runs from this folder, with its addresses.",
    options: { json: { type: "boolean", about: "Print it as JSON." } },
    examples: ["--json"],
  },
  (values) => values,
);

await runCommand(async () => {
  const { dataFolder } = parseConfig(readEnvironment(), []);
  const service = await readServiceFile(dataFolder);
  if (!service) {
    process.stderr.write("No service runs from this folder: start one with npm start.\n");
    process.exitCode = 1;
    return;
  }
  // The URLs of the stores contain passwords and are for other commands only.
  const { databaseUrl: _, redisUrl: __, ...shown } = service;
  if (json) process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  else
    for (const [name, value] of Object.entries(shown))
      process.stdout.write(`${name.padEnd(14)} ${value}\n`);
});
