import type { TaskContext } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import { hashOf } from "./hash-of.js";
import type { HashParameters } from "./task.js";

export async function run(context: TaskContext<HashParameters>) {
  const { photo, ...preview } = await readPreview(context);
  context.progress(0.5, "looking for duplicates");
  const result = await hashOf(context, photo, preview);
  context.progress(1, "done");
  return result;
}
