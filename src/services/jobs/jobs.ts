import { asc, and, getTableColumns, notInArray, sql } from "drizzle-orm";
import { z } from "zod";
import { available, type Database } from "../../db/database.js";
import { withoutDeadline } from "../../runtime/deadline.js";
import { jobs } from "../../db/schema/jobs.js";
import type { Task } from "../../tasks/define-task.js";

/** A kind of work that can be submitted: a row of the catalogue. Its id is its name. */
export interface Job extends Omit<typeof jobs.$inferSelect, "offered"> {
  id: string;
  enabled: boolean;
}

export interface Jobs {
  /** All of them, by name. */
  list(): Promise<Job[]>;
  find(name: string): Promise<Job | null>;
  /** As `find`, of a Job that a QueuedJob has; throws when it has no row. */
  get(name: string): Promise<Job>;
  /** At once, if it has been read. */
  known(name: string): Job | undefined;
  /**
   * The task behind a Job that can be submitted now; null when there is none, it is switched off,
   * or `migrate` has not written its row yet.
   */
  submittable(name: string): Promise<Task | null>;
}

/**
 * How often the rows are read again at most, for a name that is not known: a newer version may have
 * brought it.
 */
const REREAD_MS = 5000;

/** The catalogue, kept in memory: it changes with `migrate` only. */
export function createJobs(deps: {
  database: Database;
  catalogue: ReadonlyMap<string, Task>;
  disabledJobs: readonly string[];
}): Jobs {
  const disabled = new Set(deps.disabledJobs);
  let known: Promise<Map<string, Job>> | null = null;
  let byName = new Map<string, Job>();
  let readAt = 0;

  async function read(): Promise<Map<string, Job>> {
    const rows = await available(() =>
      deps.database.orm.select().from(jobs).orderBy(asc(jobs.name)),
    );
    byName = new Map(
      rows.map(({ offered, ...row }) => [
        row.name,
        { ...row, id: row.name, enabled: offered && !disabled.has(row.name) },
      ]),
    );
    return byName;
  }

  function load(): Promise<Map<string, Job>> {
    readAt = Date.now();
    known = withoutDeadline(read).catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  }

  async function find(name: string): Promise<Job | null> {
    const job = (await (known ?? load())).get(name);
    if (job || Date.now() - readAt < REREAD_MS) return job ?? null;
    return (await load()).get(name) ?? null;
  }

  return {
    list: async () => [...(await (known ?? load())).values()],
    find,
    async get(name) {
      const job = await find(name);
      if (!job) throw new Error(`The Job ${name} has no row`);
      return job;
    },
    known: (name) => byName.get(name),
    async submittable(name) {
      const task = disabled.has(name) ? undefined : deps.catalogue.get(name);
      return task && (byName.has(name) || (await find(name))) ? task : null;
    },
  };
}

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
