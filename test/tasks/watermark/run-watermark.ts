import assert from "node:assert/strict";
import { watermark } from "../../../src/tasks/watermark/task.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { runTask } from "../run-task.js";

export type Input = Parameters<
  typeof runTask<typeof watermark.parameters, typeof watermark.result>
>[2];

/** Returns a function that runs the task on a photo, for the tests of one file. */
export function createWatermarkRun() {
  const folder = temporaryFolder();
  async function run(bytes: Uint8Array, input: Input) {
    const taskRun = await runTask(watermark, folder.write(bytes), input);
    const [file] = taskRun.files.values();
    assert(file);
    return { ...taskRun, file };
  }
  return { folder, run };
}
