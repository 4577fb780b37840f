import type { TaskContext } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import { placeholderOf } from "./placeholder-of.js";

export async function run(context: TaskContext<Record<string, never>>) {
  const preview = await readPreview(context);
  context.progress(0.5, "describing");
  const result = await placeholderOf(preview);
  context.progress(1, "done");
  return result;
}
