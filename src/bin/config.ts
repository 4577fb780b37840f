import { asStarted } from "../app/local-service/start-defaults.js";
import { keyFaults } from "../app/read-config.js";
import { readCommandLine } from "../runtime/command-line.js";
import { effectiveVariables, readEnvironment } from "../runtime/config.js";
import { runCommand } from "../runtime/lifecycle.js";

readCommandLine(
  {
    name: "npm run config",
    about:
      "Print every variable with its effective value under npm start (in production: of the API " +
      "and the worker) and its source; secrets are not printed.",
  },
  () => null,
);

/** Longer values move only their own source to the right. */
const MAX_WIDTH = 44;

await runCommand(async () => {
  const environment = { env: readEnvironment(), inherited: process.env };
  const { variables, config } = effectiveVariables(environment, { check: keyFaults });
  const rows = asStarted(variables, config).map(({ name, value, source }) => [
    name,
    value === null ? "(not set)" : value || "(none)",
    source,
  ]);
  const [nameWidth, valueWidth] = [0, 1].map((column) =>
    Math.min(MAX_WIDTH, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
  for (const [name = "", value = "", source = ""] of rows)
    process.stdout.write(
      `${name.padEnd(nameWidth ?? 0)}  ${value.padEnd(valueWidth ?? 0)}  ${source}\n`,
    );
});
