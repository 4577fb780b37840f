import { effect, signal, type ReadonlySignal } from "@preact/signals";
import type { JobGroup } from "../../../client/src/groups/index.js";
import type { Query } from "../../../client/src/index.js";
import { GROUP_JOBS } from "../operations.js";
import type { InputPhoto, QueuedJob } from "../types.js";
import type { JobList } from "./job-list.js";
import { untilAnswered } from "./open-job.js";

/** The group of the address, whose jobs the list shows. */
export interface OpenGroup {
  readonly id: ReadonlySignal<string | null>;
  /** Its jobs, those that follow each other together; only those read so far. */
  readonly ids: ReadonlySignal<readonly string[]>;
  readonly isReading: ReadonlySignal<boolean>;
  readonly isGone: ReadonlySignal<boolean>;
  placeOf(id: string): Place | undefined;
  /** Reads the jobs again. */
  read(): Promise<void>;
  /** Removes a job that was deleted. */
  forget(id: string): void;
  close(): void;
}

/** The place of a job among those that follow each other. */
interface Place {
  /** Number of steps before it, for indentation. */
  depth: number;
  /** The photo that its branch began with. */
  photo: InputPhoto | undefined;
}

interface Page extends JobGroup {
  queuedJobs: {
    nodes: QueuedJob[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

export function createOpenGroup(
  ask: Query,
  list: JobList,
  id: ReadonlySignal<string | null>,
): OpenGroup {
  const ids = signal<readonly string[]>([]);
  const [isReading, isGone] = [signal(false), signal(false)];
  let places = new Map<string, Place>();
  let turn = 0;

  async function readOnce(wanted: string, isCurrent: () => boolean): Promise<void> {
    const rows: QueuedJob[] = [];
    for await (const page of pagesOf(ask, wanted)) {
      if (!isCurrent()) return;
      isGone.value = page === null;
      if (!page) return;
      const { queuedJobs, ...group } = page;
      list.groups.keep(group);
      list.take(queuedJobs.nodes);
      rows.push(...queuedJobs.nodes);
      places = placesOf(rows);
      ids.value = [...places.keys()];
    }
  }

  async function read(): Promise<void> {
    const wanted = id.peek();
    const started = ++turn;
    isReading.value = wanted !== null;
    if (wanted === null) return;
    const isCurrent = (): boolean => started === turn;
    await untilAnswered(() => readOnce(wanted, isCurrent), isCurrent);
    if (isCurrent()) isReading.value = false;
  }

  const stop = effect(() => {
    void id.value;
    ids.value = [];
    isGone.value = false;
    void read();
  });
  return {
    id,
    ids,
    isReading,
    isGone,
    placeOf: (member) => places.get(member),
    read,
    forget(member) {
      if (!ids.peek().includes(member)) return;
      ids.value = ids.peek().filter((other) => other !== member);
      isGone.value = ids.peek().length === 0;
    },
    close() {
      stop();
      turn++;
    },
  };
}

/** Yields null if the group does not exist. */
async function* pagesOf(ask: Query, id: string): AsyncGenerator<Page | null> {
  let after: string | null = null;
  let hasMore = true;
  while (hasMore) {
    const answer: { jobGroup: Page | null } = await ask(GROUP_JOBS, { id, after });
    yield answer.jobGroup;
    const pageInfo = answer.jobGroup?.queuedJobs.pageInfo;
    after = pageInfo?.endCursor ?? null;
    hasMore = pageInfo?.hasNextPage === true;
  }
}

/**
 * The jobs by id, branch by branch. The keys `1-scrub` and `1-watermark` are steps of one branch;
 * each job with another key is a separate branch.
 */
function placesOf(rows: readonly QueuedJob[]): Map<string, Place> {
  const branches = new Map<string, QueuedJob[]>();
  for (const row of rows) {
    const branch = /^\d+-/.exec(row.key ?? "")?.[0] ?? row.id;
    branches.set(branch, [...(branches.get(branch) ?? []), row]);
  }
  return new Map(
    [...branches.values()].flatMap((steps) =>
      steps.map(({ id, waitingFor }, i): [string, Place] => [
        id,
        // A job that joins several branches stands beside them.
        { depth: i || Number(waitingFor === 1), photo: steps[0]?.photos[0] },
      ]),
    ),
  );
}
