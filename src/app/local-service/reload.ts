import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Supervised } from "../../embedded/processes/supervise.js";
import type { Logger } from "../../runtime/logger.js";
import type { StoreUrls } from "./start-stores.js";

/** The message with which `npm run dev` reports what it has compiled. */
export interface Reload {
  /** Paths below src/. */
  changed: string[];
}

const migrate = fileURLToPath(new URL("../../bin/migrate.js", import.meta.url));

/** Restarts the processes whenever `npm run dev` has compiled a change. */
export function followReloads(options: {
  stores: Promise<StoreUrls>;
  env: NodeJS.ProcessEnv;
  processes: readonly Supervised[];
  log: Logger;
}): void {
  const { stores, env, processes, log } = options;
  let running = Promise.resolve();

  async function reload({ changed }: Reload): Promise<void> {
    try {
      if (changed.some((path) => path.startsWith("tasks/"))) await syncCatalogue();
    } catch (error) {
      log.error({ err: error }, "the catalogue could not be updated to match the tasks");
    }
    await Promise.all(processes.map((one) => one.restart("source changed")));
  }
  /** Runs in a new process, which loads the current tasks. */
  async function syncCatalogue(): Promise<void> {
    const { databaseUrl } = await stores;
    await promisify(execFile)(process.execPath, [migrate], {
      env: { ...env, DATABASE_URL: databaseUrl },
    });
  }
  process.on("message", (message: Reload) => {
    running = running.then(() => reload(message));
  });
}
