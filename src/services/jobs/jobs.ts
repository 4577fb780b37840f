import { and, getTableColumns, notInArray, sql } from "drizzle-orm";
import { available, type Database } from "../../db/database.js";
import { withoutDeadline } from "../../runtime/deadline.js";
import { jobs } from "../../db/schema/jobs.js";
import type { Task } from "../../tasks/define-task.js";
import { toJsonSchema } from "../../tasks/json-schema.js";

/** A kind of work that users can submit: one row of the catalogue. Its id is its name. */
export interface Job extends Omit<typeof jobs.$inferSelect, "offered"> {
  id: string;
  enabled: boolean;
}

export interface Jobs {
  /** Returns all Jobs, sorted by name. */
  list(): Promise<Job[]>;
  find(name: string): Promise<Job | null>;
  /** Like `find`, but throws when the Job of a QueuedJob has no row. */
  get(name: string): Promise<Job>;
  /** Returns the Job without waiting; undefined when no row of that name has been read yet. */
  known(name: string): Job | undefined;
  /**
   * The task of a Job that can be submitted now. Null when no such Job exists, when it is disabled,
   * or when `migrate` has not written its row yet.
   */
  submittable(name: string): Promise<Task | null>;
}

/**
 * Minimum interval between reads because of an unknown name, which a newer version may have added.
 */
const REREAD_MS = 5000;

/** Keeps the catalogue in memory, since only `migrate` changes it. */
export function createJobs(deps: {
  database: Database;
  catalogue: ReadonlyMap<string, Task>;
  disabledJobs: readonly string[];
}): Jobs {
  const disabled = new Set(deps.disabledJobs);
  /** False for a task that only another process has, which may have other TASKS. */
  const has = (name: string) => deps.catalogue.has(name) && !disabled.has(name);
  let loading: Promise<Map<string, Job>> | null = null;
  let byName = new Map<string, Job>();
  let readAt = 0;

  async function read(): Promise<Map<string, Job>> {
    const rows = await available(() =>
      // The pages of the list compare names as JavaScript does.
      deps.database.orm
        .select()
        .from(jobs)
        .orderBy(sql`${jobs.name} collate "C"`),
    );
    byName = new Map(
      rows.map(({ offered, ...row }) => [
        row.name,
        { ...row, id: row.name, enabled: offered && has(row.name) },
      ]),
    );
    return byName;
  }

  function load(): Promise<Map<string, Job>> {
    readAt = Date.now();
    loading = withoutDeadline(read).catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  }

  async function find(name: string): Promise<Job | null> {
    const job = (await (loading ?? load())).get(name);
    if (job || Date.now() - readAt < REREAD_MS) return job ?? null;
    return (await load()).get(name) ?? null;
  }

  return {
    list: async () => [...(await (loading ?? load())).values()],
    find,
    async get(name) {
      const job = await find(name);
      if (!job)
        throw new Error(`The Job ${name} has no row in the table jobs: run npm run migrate`);
      return job;
    },
    known: (name) => byName.get(name),
    async submittable(name) {
      const task = has(name) ? deps.catalogue.get(name) : undefined;
      return task && (byName.has(name) || (await find(name))) ? task : null;
    },
  };
}

/**
 * Updates the `Job` rows to match the tasks. A Job whose task was removed keeps its row, since
 * QueuedJobs refer to it. Rows that already match are not locked.
 */
export async function syncCatalogue({ orm }: Database, tasks: Iterable<Task>): Promise<void> {
  const rows = [...tasks].map(toRow);
  await orm.transaction(async (tx) => {
    const present = new Map((await tx.select().from(jobs)).map((row) => [row.name, row]));
    const changed = rows.filter((row) => !isSame(row, present.get(row.name)));
    if (changed.length > 0) {
      // Sorted by name, so that two concurrent calls lock the rows in the same order.
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
 * All columns except the key. A key column in SET makes PostgreSQL take a lock that blocks readers
 * of the key.
 */
const EXCLUDED = Object.fromEntries(
  Object.entries(getTableColumns(jobs))
    .filter(([, { primary }]) => !primary)
    .map(([key, { name }]) => [key, sql.raw(`excluded.${name}`)]),
);

/** Compares the order of keys too, because forms show their fields in it. */
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
