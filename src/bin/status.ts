import { existsSync } from "node:fs";
import { join } from "node:path";
import { readServiceFile } from "../app/local-service/service-file.js";
import { describeStatus, readServiceStatus } from "../app/local-service/service-status.js";
import { ADMIN_PASSWORD_FILE } from "../app/local-service/start-defaults.js";
import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";

const { json } = readCommandLine(
  {
    name: "npm run status",
    about:
      "Print the service that runs from this folder: its addresses, health, queue and free disk.",
    options: { json: { type: "boolean", about: "Print it as JSON." } },
    examples: ["--json"],
  },
  (values) => values,
);

await runCommand(async () => {
  const { dataFolder, adminPassword } = parseConfig(readEnvironment(), []);
  const service = await readServiceFile(dataFolder);
  if (!service) {
    process.stderr.write("No service runs from this folder: start one with npm start.\n");
    process.exitCode = 1;
    return;
  }
  const status = await readServiceStatus(service);
  const passwordFile = join(service.dataFolder, ADMIN_PASSWORD_FILE);
  const isGenerated = adminPassword === null && existsSync(passwordFile);
  // The URLs of the stores contain passwords and are for other commands only.
  const { databaseUrl: _, redisUrl: __, ...shown } = service;
  if (json) {
    const adminPasswordFile = isGenerated ? passwordFile : null;
    process.stdout.write(`${JSON.stringify({ ...shown, adminPasswordFile, status }, null, 2)}\n`);
    return;
  }
  const operators = isGenerated ? `user admin, password in ${passwordFile}` : "as configured";
  const rows = [...Object.entries(shown), ["operators", operators], ...describeStatus(status)];
  for (const [name = "", value] of rows) process.stdout.write(`${name.padEnd(14)} ${value}\n`);
});
