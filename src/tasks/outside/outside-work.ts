import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PermanentTaskError, TaskFailedError } from "../../domain/errors.js";
import { OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import type { TaskContext } from "../define-task.js";
import type { Work } from "../load-work.js";
import { serveImports } from "./serve-imports.js";

type Output = TaskContext<unknown>["output"];

/** Loads `run.js` of a task outside this repository. */
export async function loadOutsideWork(folder: string): Promise<Work> {
  const { run } = (await importFile(folder, "run.js")) as Partial<Work>;
  if (typeof run !== "function") throw new Error("run.js does not export a function `run`");
  return {
    async run(context) {
      try {
        return await run({ ...context, output: checkOutput(context.output) });
      } catch (error) {
        throw toTaskError(error);
      }
    },
  };
}

const OUTPUT_TYPES = Object.values(OUTPUT_FILES).map(({ mimeType }) => mimeType);

/** Refuses what the worker would take for the answer of a child that a photo has compromised. */
function checkOutput(output: Output): Output {
  return async (file) => {
    if (OUTPUT_TYPES.includes(file.mimeType)) return output(file);
    const allowed = OUTPUT_TYPES.join(", ");
    throw new Error(`The output ${file.name} has the type ${file.mimeType}; allowed: ${allowed}.`);
  };
}

/** Imports a module of a task outside this repository. */
export async function importFile(folder: string, name: string): Promise<Record<string, unknown>> {
  serveImports();
  const url = pathToFileURL(join(folder, name)).href;
  return (await import(url)) as Record<string, unknown>;
}

/** The form of codes that a child may send. */
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const MAX_MESSAGE_CHARACTERS = 1000;

/**
 * Recognises errors by name too, because a task may have its own copy of the classes. Codes and
 * messages become such as can be stored.
 */
function toTaskError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const message = error.message.replaceAll("\0", "").slice(0, MAX_MESSAGE_CHARACTERS);
  const { code } = error as { code?: unknown };
  if (error instanceof PermanentTaskError || error.name === "PermanentTaskError") {
    const isCode = typeof code === "string" && CODE.test(code);
    return withStack(new PermanentTaskError(isCode ? code : "TASK_FAILED", message), error);
  }
  if (error instanceof TaskFailedError || error.name === "TaskFailedError")
    return withStack(new TaskFailedError(message), error);
  return error;
}

function withStack<E extends Error>(error: E, { stack }: Error): E {
  return Object.assign(error, { stack });
}
