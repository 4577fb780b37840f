import { partsFor } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import { idOf } from "../queued-jobs.js";
import { iterate, type WatchOptions } from "../watch.js";
import { GROUP_EVENTS } from "./operations.js";
import { readGroup } from "./read-group.js";
import type { GroupEvent, GroupJobs, JobGroup, JobsByKey } from "./types.js";

/**
 * The events of all jobs of a group, from its last one until the group finishes, across lost
 * connections and restarts of the service. Each shows the counts of its step, so that a progress
 * bar needs nothing else. Throws CursorExpiredError after a longer pause than events are kept.
 */
export function watchGroup<Keys extends JobsByKey>(
  service: PhotoService,
  group: JobGroup<Keys> | string,
  { signal }: WatchOptions = {},
): AsyncIterableIterator<GroupEvent<Keys>> {
  const { events, urls } = partsFor(service);
  return iterate<GroupEvent<Keys>>(
    (push, ended) =>
      events.follow<GroupEvent<Keys>>(GROUP_EVENTS, {
        after: null,
        variables: { groupId: idOf(group) },
        signal: ended,
        onEvent: (event) => push({ ...event, queuedJob: urls.ofQueuedJob(event.queuedJob) }),
      }),
    signal,
  );
}

export interface FinishedGroupOptions<Keys extends JobsByKey> extends WatchOptions {
  /** Called with the events of `watchGroup`. */
  onEvent?: ((event: GroupEvent<Keys>) => void) | undefined;
}

/** Resolves with the finished group and its jobs by key. */
export async function finishedGroup<Keys extends JobsByKey>(
  service: PhotoService,
  group: JobGroup<Keys> | string,
  { signal, onEvent }: FinishedGroupOptions<Keys> = {},
): Promise<{ group: JobGroup<Keys>; jobs: GroupJobs<Keys> }> {
  const id = idOf(group);
  for await (const event of watchGroup<Keys>(service, id, { signal })) {
    onEvent?.(event);
    if (!event.queuedJob.group) break;
  }
  const { members, ...read } = await readGroup(partsFor(service), id, { signal });
  const jobs = Object.fromEntries(members.map((member) => [member.key, member]));
  return { group: read.group as JobGroup<Keys>, jobs: jobs as GroupJobs<Keys> };
}
