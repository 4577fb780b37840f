// The entry point of the worker's children: runs one attempt at a time.

import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAboutPhoto, PermanentTaskError, TaskFailedError } from "../../domain/errors.js";
import { serveChild, type ChildTools } from "../../child-pool/serve-child.js";
import type { NearPhotoList, TaskContext, TaskOutput } from "../../tasks/define-task.js";
import { loadWork } from "../../tasks/load-work.js";
import {
  NO_ROOM,
  PLAIN_NAME,
  type TaskChildRequest,
  type TaskChildResponse,
} from "./task-child-request.js";

// Loads the image library before the first task, not during it. Other libraries are loaded by the
// tasks that need them.
await loadWork("thumbnail");
serveChild((request, tools) => runTask(request as TaskChildRequest, tools));

async function runTask(
  request: TaskChildRequest,
  { signal, progress, ask }: ChildTools,
): Promise<TaskChildResponse> {
  const { task, taskFolder, folder, ...input } = request;
  const { run } = await loadWork(task, taskFolder);
  const outputs: TaskOutput[] = [];
  const findNearPhotos: TaskContext<unknown>["findNearPhotos"] = async (query) =>
    (await ask("findNearPhotos", query)) as NearPhotoList;
  const fetchPhoto: TaskContext<unknown>["fetchPhoto"] = async (photo) =>
    (await ask("fetchPhoto", { index: input.photos.indexOf(photo) })) as string;
  try {
    return {
      result: await run({
        ...input,
        signal,
        progress,
        fetchPhoto,
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
 * Creates the task's `output`, which writes files to `folder` under their own names. Names must
 * therefore be plain.
 */
function writeInto(folder: string, outputs: TaskOutput[]): TaskContext<unknown>["output"] {
  return async ({ name, mimeType, width = null, height = null, data }) => {
    if (!PLAIN_NAME.test(name))
      throw new Error(`"${name}" is not a plain file name for an output.`);
    const path = join(folder, name);
    // The flag "wx" fails for two outputs of one name, which are a bug of the task.
    await writeFile(path, data, { flag: "wx" }).catch((error) => Promise.reject(outOfRoom(error)));
    const byteSize = data instanceof Uint8Array ? data.byteLength : (await stat(path)).size;
    const output = { name, mimeType, byteSize, width, height };
    outputs.push(output);
    return output;
  };
}

/** Replaces the error of a full disk by one that its user sees; all others stay as they are. */
function outOfRoom(error: unknown): unknown {
  return error instanceof Error && "code" in error && error.code === "ENOSPC"
    ? new TaskFailedError(NO_ROOM)
    : error;
}
