import { archive } from "./archive/task.js";
import { contactSheet } from "./contact-sheet/task.js";
import { convert } from "./convert/task.js";
import { crop } from "./crop/task.js";
import type { Task } from "./define-task.js";
import { echo } from "./echo/task.js";
import { hash } from "./hash/task.js";
import { metadata } from "./metadata/task.js";
import { palette } from "./palette/task.js";
import { placeholder } from "./placeholder/task.js";
import { prepare } from "./prepare/task.js";
import { scrub } from "./scrub/task.js";
import { thumbnail } from "./thumbnail/task.js";
import { watermark } from "./watermark/task.js";

const tasks = [
  echo,
  thumbnail,
  convert,
  metadata,
  scrub,
  placeholder,
  palette,
  hash,
  crop,
  watermark,
  contactSheet,
  prepare,
  archive,
] as const satisfies readonly Task[];

/** Every task by its name: those that users can submit and workers can run. */
export const catalogue: ReadonlyMap<string, Task> = new Map<string, Task>(
  tasks.map((task) => [task.name, task]),
);
