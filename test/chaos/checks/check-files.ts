import { readdir } from "node:fs/promises";
import { createDatabase } from "../../../src/db/database.js";
import type { Storage } from "../../../src/photos/storage.js";
import { createLogger } from "../../../src/runtime/logger.js";
import { createFileSweep } from "../../../src/services/maintenance/sweep-files.js";
import type { Tables } from "./read-tables.js";
import type { Violations } from "./violations.js";

/**
 * Compares files with rows after the service has stopped. A killed process may leave files without
 * a row, which the sweep deletes after an hour. So this sweeps first, without that grace.
 */
export async function checkFiles(options: {
  storage: Storage;
  databaseUrl: string;
  tables: Tables;
  violations: Violations;
}): Promise<{ kept: number; swept: number }> {
  const { storage, tables, violations } = options;
  const before = await keysIn(storage);
  for (const key of tables.files)
    if (!before.has(key))
      violations.add("lost", `a row names the file ${key}, which does not exist`);
  const swept = await sweep(options);
  const after = await keysIn(storage);
  after.delete("owner");
  for (const key of after)
    if (!tables.files.has(key))
      violations.add("other", `the file ${key} is stored, but no row names it`);
  for (const key of tables.files)
    if (before.has(key) && !after.has(key))
      violations.add("lost", `the file ${key} was swept, but a row names it`);
  for (const name of await readdir(storage.scratchFolder))
    violations.add("other", `${name} remains in the scratch folder`);
  return { kept: after.size, swept };
}

async function sweep({
  storage,
  databaseUrl,
}: {
  storage: Storage;
  databaseUrl: string;
}): Promise<number> {
  const database = createDatabase({ url: databaseUrl, connections: 2, applicationName: "chaos" });
  try {
    const log = createLogger({ name: "chaos", level: "silent", pretty: false });
    // The killed processes may have left any number of files.
    return await createFileSweep({ database, storage, graceMs: 0, maxShare: 1, log }).run();
  } finally {
    await database.close();
  }
}

async function keysIn(storage: Storage): Promise<Set<string>> {
  const keys = new Set<string>();
  for await (const { key } of storage.list()) keys.add(key);
  return keys;
}
