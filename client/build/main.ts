// Renews the types of the Jobs, compiles the package and packs it.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../../src/runtime/command-line.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import { renderJobTypes } from "./job-types.js";

/** Path of the repository, relative to the compiled file. */
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CLIENT = join(ROOT, "client");

readCommandLine(
  {
    name: "npm run build:client",
    about: "Renews the types of the Jobs, compiles the package and packs it into dist/package/.",
  },
  () => null,
);

const types = join(CLIENT, "src/generated/jobs.ts");
const rendered = await renderJobTypes(catalogue.values());
// An unchanged file keeps its time, so that nothing is compiled again because of it.
if (readFileSync(types, "utf8") !== rendered) writeFileSync(types, rendered);
rmSync(join(CLIENT, "dist"), { recursive: true, force: true });
run(process.execPath, [
  join(ROOT, "node_modules/typescript/bin/tsc"),
  "-p",
  CLIENT,
  "--noEmit",
  "false",
]);
copyFileSync(join(ROOT, "LICENSE"), join(CLIENT, "dist/LICENSE"));
const packed = join(ROOT, "dist/package");
mkdirSync(packed, { recursive: true });
run("npm", ["pack", "--silent", "--pack-destination", packed]);

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: CLIENT, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
