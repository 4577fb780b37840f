// Finds the folders of tasks in the folders and packages of TASKS.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** A folder that is left out, with the reason as the end of a sentence that begins with it. */
export interface TaskFault {
  folder: string;
  fault: string;
}

export interface FoundTasks {
  /** Absolute paths of the folders with task.js and run.js. */
  folders: string[];
  faults: TaskFault[];
}

const PARTS = ["task", "run"];

/** Each entry is a folder, or a package below node_modules of `cwd`, with one folder per task. */
export function findTasks(entries: readonly string[], cwd: string = process.cwd()): FoundTasks {
  const found: FoundTasks = { folders: [], faults: [] };
  for (const entry of entries) {
    const place = [resolve(cwd, entry), join(cwd, "node_modules", entry)].find(isFolder);
    try {
      if (place !== undefined) addTasksIn(place, found);
      else
        found.faults.push({
          folder: entry,
          fault: `is neither a folder nor a package in ${join(cwd, "node_modules")}`,
        });
    } catch (error) {
      found.faults.push({ folder: entry, fault: `cannot be read: ${String(error)}` });
    }
  }
  return { folders: [...new Set(found.folders)], faults: found.faults };
}

function addTasksIn(place: string, { folders, faults }: FoundTasks): void {
  const inside = foldersIn(place).filter((folder) => filesOf(folder).length > 0);
  if (inside.length === 0) faults.push({ folder: place, fault: explainEmpty(place) });
  for (const folder of inside) {
    const fault = missingFile(folder);
    if (fault === null) folders.push(folder);
    else faults.push({ folder, fault });
  }
}

/** Returns the folders in a folder, sorted by name. */
function foldersIn(place: string): string[] {
  return readdirSync(place)
    .filter((name) => !name.startsWith(".") && name !== "node_modules")
    .toSorted()
    .map((name) => join(place, name))
    .filter(isFolder);
}

function explainEmpty(place: string): string {
  return filesOf(place).length > 0
    ? `is itself a task: TASKS names the folder around it, ${resolve(place, "..")}`
    : "has no task: a task is a folder with task.js and run.js";
}

function missingFile(folder: string): string | null {
  const part = PARTS.find((name) => !existsSync(join(folder, `${name}.js`)));
  if (part === undefined) return null;
  return existsSync(join(folder, `${part}.ts`))
    ? `has ${part}.ts, but no ${part}.js: compile it, and name the folder of the compiled files`
    : `has no ${part}.js`;
}

/** The files that make a folder look like a task. */
function filesOf(folder: string): string[] {
  return PARTS.flatMap((part) => [`${part}.js`, `${part}.ts`]).filter((file) =>
    existsSync(join(folder, file)),
  );
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
