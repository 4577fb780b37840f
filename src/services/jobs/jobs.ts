import { asc } from "drizzle-orm";
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
