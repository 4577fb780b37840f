// Run by the worker's children: one attempt of a task at a time.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAboutPhoto, PermanentTaskError } from "../../domain/errors.js";
import { serveChild, type ChildTools } from "../../child-pool/serve-child.js";
import type { NearPhotoList, TaskContext, TaskOutput } from "../../tasks/define-task.js";
import { loadWork } from "../../tasks/load-work.js";
import { PLAIN_NAME, type TaskChildRequest, type TaskChildResponse } from "./task-child-request.js";

// A warm child has the image library loaded before its first task, not in it. What only other tasks
// need waits for them.
await loadWork("thumbnail");
serveChild((request, tools) => runTask(request as TaskChildRequest, tools));

async function runTask(
  request: TaskChildRequest,
  { signal, progress, ask }: ChildTools,
): Promise<TaskChildResponse> {
  const { task, folder, ...given } = request;
  const { run } = await loadWork(task);
  const outputs: TaskOutput[] = [];
  const findNearPhotos: TaskContext<unknown>["findNearPhotos"] = async (query) =>
    (await ask("findNearPhotos", query)) as NearPhotoList;
  try {
    return {
      result: await run({
        ...given,
        signal,
        progress,
        output: writeInto(folder, outputs),
        findNearPhotos,
      }),
      outputs,
    };
  } catch (error) {
    throw isAboutPhoto(error)
      ? Object.assign(new PermanentTaskError(error.code, error.message), { stack: error.stack })
      : error;
  }
}

/**
 * A task's `output`: the files lie in `folder` under their own names, which therefore must be
 * plain.
 */
function writeInto(folder: string, outputs: TaskOutput[]): TaskContext<unknown>["output"] {
  return async ({ name, mimeType, width = null, height = null, data }) => {
    if (!PLAIN_NAME.test(name)) throw new Error(`"${name}" is no plain file name for an output.`);
    // "wx": two outputs of one name are a bug of the task and must not become one file.
    await writeFile(join(folder, name), data, { flag: "wx" });
    const output = { name, mimeType, byteSize: data.byteLength, width, height };
    outputs.push(output);
    return output;
  };
}
