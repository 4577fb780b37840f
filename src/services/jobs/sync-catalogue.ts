import { and, getTableColumns, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../../db/database.js";
import { jobs } from "../../db/schema/jobs.js";
import type { Task } from "../../tasks/define-task.js";

/**
 * Brings the `Job` rows in step with the tasks. A Job whose task is gone keeps its row, for the
 * QueuedJobs that name it. Rows that are in step already are not locked.
 */
export async function syncCatalogue({ orm }: Database, tasks: Iterable<Task>): Promise<void> {
  const rows = [...tasks].map(toRow);
  await orm.transaction(async (tx) => {
    const present = new Map((await tx.select().from(jobs)).map((row) => [row.name, row]));
    const changed = rows.filter((row) => !isSame(row, present.get(row.name)));
    if (changed.length > 0) {
      // By name, so that two that do this at once take the rows in one order.
      const inOrder = changed.toSorted((a, b) => a.name.localeCompare(b.name));
      await tx
        .insert(jobs)
        .values(inOrder)
        .onConflictDoUpdate({ target: jobs.name, set: EXCLUDED });
    }
    const names = rows.map((row) => row.name);
    await tx
      .update(jobs)
      .set({ offered: false })
      .where(and(jobs.offered, notInArray(jobs.name, names)));
  });
}

/**
 * All but the key: for a key column in SET, PostgreSQL takes the lock that waits for all who read
 * the key.
 */
const EXCLUDED = Object.fromEntries(
  Object.entries(getTableColumns(jobs))
    .filter(([, { primary }]) => !primary)
    .map(([key, { name }]) => [key, sql.raw(`excluded.${name}`)]),
);

/** In the order of the keys, too, since forms are drawn in it. */
function isSame(row: JobRow, present: JobRow | undefined): boolean {
  const toText = (job: JobRow) =>
    JSON.stringify(Object.keys(row).map((key) => job[key as keyof JobRow]));
  return present !== undefined && toText(row) === toText(present);
}

type JobRow = typeof jobs.$inferSelect;

function toRow(task: Task): JobRow {
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

/**
 * JSON Schema 2020-12 of a task's parameters (as they come in) or of its result (as it goes out).
 */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  return z.toJSONSchema(schema, { io, target: "draft-2020-12" }) as Record<string, unknown>;
}
