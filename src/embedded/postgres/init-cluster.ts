import { existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../runtime/logger.js";
import { EmbeddedError } from "../embedded-error.js";
import { explainFailure } from "../processes/explain-failure.js";
import type { PostgresPrograms } from "./find-postgres.js";
import { makePrivateFolder } from "../private-folder.js";
import { reachablePath, type RunUser } from "./run-user.js";
import { runProgram } from "../processes/run-program.js";
import { stopLeftovers } from "../processes/processes-in.js";

export interface InitClusterOptions {
  /** Contains the file `password`; the folder `data` is created in it. */
  dataDir: string;
  programs: PostgresPrograms;
  user: RunUser | undefined;
  /** Name of the superuser. */
  owner: string;
  durable: boolean;
  log: Logger;
}

/**
 * Creates the data of a new PostgreSQL, or checks that existing data fits this version. Returns its
 * folder.
 */
export async function initCluster(options: InitClusterOptions): Promise<string> {
  const folder = join(options.dataDir, "data");
  if (!existsSync(join(folder, "PG_VERSION"))) await create(folder, options);
  const dataMajor = (await readFile(join(folder, "PG_VERSION"), "utf8")).trim();
  const { major } = options.programs;
  if (dataMajor !== major) {
    throw new EmbeddedError(
      `The data in ${folder} was written by PostgreSQL ${dataMajor}, but this one is ${major}: ` +
        "move that folder away to start with empty data, or set DATABASE_URL to a " +
        `PostgreSQL ${dataMajor}.`,
    );
  }
  await makePrivateFolder(folder, { user: options.user, mode: 0o700 });
  return folder;
}

/**
 * The folder has another name until it is complete. So an interrupted start leaves nothing that
 * looks like data.
 */
async function create(
  folder: string,
  { dataDir, programs, user, owner, durable, log }: InitClusterOptions,
): Promise<void> {
  const half = `${folder}.new`;
  await stopLeftovers({
    folder: half,
    programs: ["initdb", "postgres"],
    steps: [{ signal: "SIGKILL", waitMs: 5_000 }],
    log,
  });
  await rm(half, { recursive: true, force: true });
  await makePrivateFolder(half, { user, mode: 0o700 });
  const place = reachablePath(half, user);
  const args = [
    `--pgdata=${place}`,
    `--username=${owner}`,
    `--pwfile=${place}/../password`,
    "--auth=scram-sha-256",
  ];
  // This locale is part of PostgreSQL, so it exists and sorts the same everywhere.
  const locale = [
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
  const result = await runProgram(
    programs.initdb,
    [...args, ...locale, ...(durable ? [] : ["--no-sync"])],
    { user, cwd: half },
  );
  if (result.code !== 0)
    throw explainFailure(
      { program: "PostgreSQL", variable: "DATABASE_URL", folder: dataDir },
      result.output,
    );
  await rm(folder, { recursive: true, force: true });
  await rename(half, folder);
}
