import { notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../db/database.js";
import { jobs } from "../db/schema.js";
import type { Task } from "../tasks/define-task.js";

/** Brings the `Job` rows in step with the tasks. A Job whose task is gone keeps its row, for the QueuedJobs that name it. */
export async function syncCatalogue({ orm }: Database, tasks: Iterable<Task>): Promise<void> {
  const rows = [...tasks].map(toRow);
  const set = Object.fromEntries(Object.keys(rows[0] ?? {}).map((key) => [key, sql.raw(`excluded.${jobs[key as keyof typeof rows[0]].name}`)]));
  await orm.transaction(async (tx) => {
    // By name, so that two that do this at once take the rows in one order.
    await tx.insert(jobs).values(rows.toSorted((a, b) => a.name.localeCompare(b.name))).onConflictDoUpdate({ target: jobs.name, set });
    await tx.update(jobs).set({ offered: false }).where(notInArray(jobs.name, rows.map((row) => row.name)));
  });
}

function toRow(task: Task) {
  return {
    name: task.name,
    title: task.title,
    description: task.description,
    parameterSchema: toJsonSchema(task.parameters, "input"),
    resultSchema: toJsonSchema(task.result, "output"),
    minPhotos: task.minPhotos,
    maxPhotos: task.maxPhotos,
    maxAttempts: task.maxAttempts,
    timeoutMs: task.timeoutMs,
    offered: true,
  };
}

/** JSON Schema 2020-12 of a task's parameters (as they come in) or of its result (as it goes out). */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  return z.toJSONSchema(schema, { io, target: "draft-2020-12" }) as Record<string, unknown>;
}
