import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { JobGroup } from "../../../client/src/groups/index.js";
import type { QueuedJobStatus } from "../../../client/src/index.js";
import type { InputPhoto, QueuedJob, QueuedJobEvent } from "../types.js";

/** A group with a photo of one of its jobs. */
export interface Group extends JobGroup {
  cover?: InputPhoto | undefined;
}

/** The groups of the jobs received so far, each with the counts of its latest event. */
export interface JobGroups {
  get(id: string): ReadonlySignal<Group> | undefined;
  /** Stores a group that was read, unless it is stored: events keep that one current. */
  keep(group: JobGroup): void;
  keepOf(row: Pick<QueuedJob, "group" | "photos">): void;
  apply(event: QueuedJobEvent): void;
  /** Called when events were missed: the next reads replace what is stored. */
  expire(): void;
}

export function createJobGroups(): JobGroups {
  const groups = new Map<string, Signal<Group>>();
  const current = new Set<string>();

  function store(group: Group): void {
    const stored = groups.get(group.id);
    current.add(group.id);
    if (stored) stored.value = { ...stored.value, ...group };
    else groups.set(group.id, signal(group));
  }
  function keep(group: JobGroup): void {
    if (!current.has(group.id)) store(group);
  }

  return {
    get: (id) => groups.get(id),
    keep,
    keepOf({ group, photos: [cover] }) {
      if (!group) return;
      keep(group);
      const stored = groups.get(group.id);
      if (cover && stored && !stored.peek().cover) stored.value = { ...stored.peek(), cover };
    },
    apply({ type, queuedJob: { group } }) {
      if (!group) return;
      const stored = groups.get(group.id);
      // The counts of a PROGRESS can be ahead of the other events.
      if (type !== "PROGRESS") store(group);
      else if (stored) stored.value = { ...stored.value, progress: group.progress };
    },
    expire: () => current.clear(),
  };
}

/** The state of a group in the words of a job's. */
export function statusOf({ status, started, progress }: JobGroup): QueuedJobStatus {
  if (status !== "RUNNING") return status;
  return started > 0 || progress > 0 ? "STARTED" : "PENDING";
}

export const titleOf = ({ name, total }: Pick<JobGroup, "name" | "total">): string =>
  name ?? `Group of ${total} jobs`;
