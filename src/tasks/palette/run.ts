import type { TaskContext } from "../define-task.js";
import { readPreview } from "../photo-work.js";
import { paletteOf } from "./palette-of.js";
import type { PaletteParameters } from "./task.js";

export async function run(context: TaskContext<PaletteParameters>) {
  const preview = await readPreview(context);
  context.progress(0.5, "grouping the colours");
  const result = await paletteOf(preview, context.parameters);
  context.progress(1, "done");
  return result;
}
