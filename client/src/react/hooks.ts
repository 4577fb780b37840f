import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { JobName } from "../generated/jobs.js";
import { createLiveGroup, type LiveGroupSnapshot } from "../groups/live-group.js";
import type { JobGroup, JobsByKey } from "../groups/types.js";
import type { JobList, JobListOptions, JobListSnapshot } from "../live/job-list.js";
import { createLiveJob, type LiveJobSnapshot } from "../live/live-job.js";
import type { Live } from "../live/live.js";
import { createPhotoList, type PhotoList, type PhotoListSnapshot } from "../live/photo-list.js";
import type { PhotoListOptions } from "../live/photo-pages.js";
import type { QueuedJob } from "../types.js";
import { usePhotoService } from "./provider.js";

function useLive<Snapshot>(live: Live<Snapshot>): Snapshot {
  return useSyncExternalStore(live.subscribe, live.getSnapshot, live.getSnapshot);
}

/**
 * The user's QueuedJobs, newest first and current. `onEvent` may be a new function in each render;
 * a change of another option starts a new list.
 */
export function useJobs(options: JobListOptions = {}): JobListSnapshot & Pick<JobList, "loadMore"> {
  const service = usePhotoService();
  const { status, job, first, onEvent } = options;
  const current = useRef(onEvent);
  useEffect(() => {
    current.current = onEvent;
  });
  const list = useMemo(
    () => service.jobs({ status, job, first, onEvent: (event) => current.current?.(event) }),
    [service, JSON.stringify([status, job, first])],
  );
  return { ...useLive(list), loadMore: list.loadMore };
}

/** A live part that never changes. */
const still = <Snapshot>(snapshot: Snapshot): Live<Snapshot> => ({
  getSnapshot: () => snapshot,
  subscribe: () => () => {},
});
const NO_JOB = still<LiveJobSnapshot<never>>({ job: null, error: null });
const NO_GROUP = still({ group: null, jobs: [], error: null });

/** One QueuedJob, current until it finishes: what `run` returned, or an id. */
export function useJob<Name extends JobName>(
  source: QueuedJob<Name> | string | null | undefined,
): LiveJobSnapshot<Name> {
  const service = usePhotoService();
  const id = typeof source === "object" ? source?.id : source;
  const live = useMemo<Live<LiveJobSnapshot<Name>>>(
    () => (source ? createLiveJob(service, source) : NO_JOB),
    [service, id],
  );
  return useLive(live);
}

/** A group with its jobs, current until it finishes: what `runGroup` returned, or an id. */
export function useGroup<Keys extends JobsByKey>(
  source: JobGroup<Keys> | string | null | undefined,
): LiveGroupSnapshot<Keys> {
  const service = usePhotoService();
  const id = typeof source === "object" ? source?.id : source;
  const live = useMemo<Live<LiveGroupSnapshot<Keys>>>(
    () => (source ? createLiveGroup(service, source) : NO_GROUP),
    [service, id],
  );
  return useLive(live);
}

/** The user's photos, newest first and current. A change of an option starts a new list. */
export function usePhotos(
  options: PhotoListOptions = {},
): PhotoListSnapshot & Pick<PhotoList, "loadMore"> {
  const service = usePhotoService();
  const list = useMemo(() => createPhotoList(service, options), [service, JSON.stringify(options)]);
  return { ...useLive(list), loadMore: list.loadMore };
}
