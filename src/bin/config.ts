import { readCommandLine } from "../runtime/command-line.js";
import { effectiveVariables, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";
import { keyFaults } from "../app/read-config.js";

readCommandLine(
  {
    name: "npm run config",
    about: "Print every variable with its effective value; secrets are not printed.",
  },
  () => null,
);

await runCommand(async () => {
  const variables = effectiveVariables(readEnvironment(), { check: keyFaults });
  const width = Math.max(...variables.map(([name]) => name.length)) + 2;
  for (const [name, value] of variables) {
    const shown = value === null ? "(not set)" : value || "(none)";
    process.stdout.write(`${name.padEnd(width)}${shown}\n`);
  }
});
