import { setTimeout as wait } from "node:timers/promises";
import { PermanentTaskError, TaskFailedError } from "../../domain/errors.js";
import type { TaskContext } from "../define-task.js";
import type { EchoParameters } from "./task.js";

export async function run(context: TaskContext<EchoParameters>) {
  const { attempt, failures, signal, progress } = context;
  const { message, durationMs, steps, failAttempts, failPermanently } = context.parameters;
  const pauses = Math.max(steps, 1);
  for (let step = 1; step <= pauses; step++) {
    if (durationMs > 0) await wait(durationMs / pauses, undefined, { signal });
    if (steps > 0) progress(step / steps, `step ${step} of ${steps}`);
  }
  if (failPermanently)
    throw new PermanentTaskError(
      "TASK_FAILED",
      "The job failed permanently, as its parameters request.",
    );
  if (failures < failAttempts)
    throw new TaskFailedError(
      `The job failed, as its parameters request: failure ${failures + 1} of ${failAttempts}.`,
    );
  return { message: message ?? null, attempt };
}
