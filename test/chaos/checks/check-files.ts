import { readdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { createDatabase } from "../../../src/db/database.js";
import { createLogger } from "../../../src/runtime/logger.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import { createFileSweep } from "../../../src/services/maintenance/sweep-files.js";
import type { Tables } from "./read-tables.js";
import type { Violations } from "./violations.js";

const LONG_AGO = new Date(Date.now() - 7_200_000);

/**
 * Compares files with rows after the service has stopped. A killed process may leave files without
 * a row, which the sweep deletes after an hour. So this makes all files look old, and sweeps first.
 */
export async function checkFiles(options: {
  storageFolder: string;
  databaseUrl: string;
  tables: Tables;
  violations: Violations;
}): Promise<{ kept: number; swept: number }> {
  const { storageFolder, tables, violations } = options;
  const before = await filesBelow(join(storageFolder, "kept"));
  for (const key of tables.files)
    if (!before.includes(key))
      violations.add("lost", `a row names the file ${key}, which does not exist`);
  for (const name of await readdir(storageFolder, { recursive: true }))
    await utimes(join(storageFolder, name), LONG_AGO, LONG_AGO);
  const swept = await sweep(options);
  const after = (await filesBelow(join(storageFolder, "kept"))).filter((key) => key !== "owner");
  for (const key of after)
    if (!tables.files.has(key))
      violations.add("other", `the file ${key} is stored, but no row names it`);
  for (const key of tables.files)
    if (before.includes(key) && !after.includes(key))
      violations.add("lost", `the file ${key} was swept, but a row names it`);
  for (const name of await readdir(join(storageFolder, "scratch")))
    violations.add("other", `${name} remains in the scratch folder`);
  return { kept: after.length, swept };
}

async function sweep({
  storageFolder,
  databaseUrl,
}: {
  storageFolder: string;
  databaseUrl: string;
}): Promise<number> {
  const database = createDatabase({ url: databaseUrl, connections: 2, applicationName: "chaos" });
  try {
    const storage = await createLocalStorage(storageFolder);
    const log = createLogger({ name: "chaos", level: "silent", pretty: false });
    // The killed processes may have left any number of files.
    return await createFileSweep({ database, storage, maxShare: 1, log }).run();
  } finally {
    await database.close();
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => ((await stat(join(folder, name))).isFile() ? [name] : [])),
  );
  return files.flat();
}
