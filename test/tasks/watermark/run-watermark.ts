import assert from "node:assert/strict";
import { watermark } from "../../../src/tasks/watermark/task.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { runTask } from "../run-task.js";

export type Given = Parameters<
  typeof runTask<typeof watermark.parameters, typeof watermark.result>
>[2];

/** Gives a function that runs the task on a photo, for the tests of one file. */
export function createWatermarkRun() {
  const folder = temporaryFolder();
  async function run(bytes: Uint8Array, given: Given) {
    const done = await runTask(watermark, folder.write(bytes), given);
    const [file] = done.files.values();
    assert(file);
    return { ...done, file };
  }
  return { folder, run };
}
