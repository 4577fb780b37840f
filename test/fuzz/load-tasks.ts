import { loadCatalogue, type Catalogue } from "../../src/app/load-catalogue.js";
import { parseConfig, readEnvironment } from "../../src/runtime/config.js";
import { createLogger } from "../../src/runtime/logger.js";

/** The tasks of this repository and of TASKS; a broken one is logged. */
export function loadTasks(): Promise<Catalogue> {
  const { tasks } = parseConfig(readEnvironment(), []);
  return loadCatalogue(tasks, createLogger({ name: "fuzz", level: "warn", pretty: false }));
}
