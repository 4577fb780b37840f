import { existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EmbeddedError } from "../embedded-error.js";
import { explainFailure } from "../processes/explain-failure.js";
import { privateCopy } from "../private-copy.js";
import { runProgram, type ProgramResult } from "../processes/run-program.js";
import type { RunUser } from "../postgres/run-user.js";

export interface FindRedisOptions {
  user: RunUser | undefined;
  /** Where a copy of the program may be kept if `user` cannot run it where it is. */
  beside: string;
  /** As the variable PATH. */
  path: string;
  /** The server of the npm package; undefined: as installed; null: none. */
  bundled?: string | null;
}

const NAMES = ["redis-server", "valkey-server"];

/**
 * The system's own Redis or Valkey, else the one of `@falkordblite/linux-x64`; proved to run as
 * `user`.
 */
export async function findRedis(options: FindRedisOptions): Promise<string> {
  for (const program of onPath(options.path)) {
    if (isUsable(await tryProgram(program, options.user))) return program;
  }
  const bundled = options.bundled === undefined ? installed() : options.bundled;
  if (bundled !== null) return await runnable(bundled, options);
  throw new EmbeddedError(
    "There is no Redis 6.2 or newer on this machine: install it (macOS: brew install " +
      "redis; Debian and Ubuntu: " +
      "sudo apt-get install redis-server; Fedora: sudo dnf install valkey; Alpine: apk " +
      "add redis), or set REDIS_URL.",
  );
}

function onPath(path: string): string[] {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).filter((program) =>
    existsSync(program),
  );
}

function installed(): string | null {
  try {
    const program = join(
      dirname(fileURLToPath(import.meta.resolve("@falkordblite/linux-x64/package.json"))),
      "bin",
      "redis-server",
    );
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

async function runnable(program: string, { user, beside }: FindRedisOptions): Promise<string> {
  let tried = await tryProgram(program, user);
  if (isUsable(tried)) return program;
  const copy =
    tried.error === "EACCES" &&
    (await privateCopy({
      source: dirname(program),
      name: `redis-${versionIn(await runProgram(program, ["--version"]))}`,
      user,
      beside,
      // A module that is never loaded here, and the larger part.
      keep: (path) => !path.endsWith("falkordb.so"),
      accept: async (folder) =>
        isUsable((tried = await tryProgram(join(folder, "redis-server"), user))),
    }));
  if (copy) return join(copy, "redis-server");
  throw explainFailure(
    { program: "Redis", variable: "REDIS_URL", folder: dirname(program) },
    tried.output,
  );
}

async function tryProgram(program: string, user: RunUser | undefined): Promise<ProgramResult> {
  const result = await runProgram(program, ["--version"], { user });
  return result.error === "ENOENT"
    ? { ...result, output: "Error loading shared library ld-linux" }
    : result;
}

function isUsable(result: ProgramResult): boolean {
  const [major = 0, minor = 0] = versionIn(result).split(".").map(Number);
  return result.code === 0 && (major > 6 || (major === 6 && minor >= 2));
}

/** "Redis server v=8.0.2 sha=…", "Valkey server v=8.1.1 …". */
function versionIn({ output }: ProgramResult): string {
  return /v=(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "0.0.0";
}
