import { CursorExpiredError, type PhotoServiceError } from "../errors.js";
import { createLive, type Live } from "../live/live.js";
import { partsFor } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import { idOf } from "../queued-jobs.js";
import { ONCE } from "../transport/requests.js";
import { isFinished } from "../types.js";
import { changesOf } from "./changes.js";
import { createGroupMembers, type GroupMembers } from "./group-members.js";
import { GROUP_EVENTS } from "./operations.js";
import { readGroup } from "./read-group.js";
import type { GroupEvent, GroupMember, JobGroup, JobsByKey } from "./types.js";

export interface LiveGroupSnapshot<Keys extends JobsByKey = JobsByKey> {
  /** Null before an id is read, and after the group was deleted. */
  group: JobGroup<Keys> | null;
  /** In the order of submission; empty until they are read. */
  jobs: readonly (GroupMember & { key: keyof Keys & string })[];
  /** Why it cannot be followed at the moment. */
  error: PhotoServiceError | null;
}

/** A group with its jobs, current until it finishes; also after a retry by the same client. */
export function createLiveGroup<Keys extends JobsByKey>(
  service: PhotoService,
  source: JobGroup<Keys> | string,
): Live<LiveGroupSnapshot<Keys>> {
  const parts = partsFor(service);
  const { events, urls } = parts;
  const id = idOf(source);
  const members = createGroupMembers();
  /** Position in the stream; null before the group is read, and when it must be read again. */
  let cursor: string | null = null;
  let wake = (): void => {};
  const live = createLive<LiveGroupSnapshot>(
    { group: typeof source === "string" ? null : source, jobs: [], error: null },
    { listen: () => listen(service, id, { members, show, resume }), run, onError },
  );
  const { getSnapshot, update } = live;
  const isRunning = (): boolean => getSnapshot().group?.status === "RUNNING";

  function show(changes: Partial<LiveGroupSnapshot> = {}): void {
    update({ jobs: members.list(), ...changes });
  }

  function resume(): void {
    const { group } = getSnapshot();
    if (group) update({ group: { ...group, status: "RUNNING" } });
    wake();
  }

  function receive(event: GroupEvent): void {
    cursor = event.cursor;
    members.apply({ ...event, queuedJob: urls.ofQueuedJob(event.queuedJob) });
    show({ group: groupAfter(event, getSnapshot().group), error: null });
  }

  async function run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted) {
      if (cursor === null) {
        const read = await readGroup(parts, id, { ...ONCE, signal });
        cursor = read.cursor;
        members.replace(read.members);
        show({ group: read.group, error: null });
      }
      const onState = (error: PhotoServiceError | null): void => update({ error });
      const place = { after: cursor, variables: { groupId: id }, signal };
      if (isRunning()) await events.follow(GROUP_EVENTS, { ...place, onEvent: receive, onState });
      else await new Promise<void>((resolve) => (wake = resolve));
      // It runs again, or it finished between the reads of the group and of the position.
      if (isRunning() && !signal.aborted) cursor = null;
    }
  }

  function onError(error: unknown): boolean {
    if (error instanceof CursorExpiredError) cursor = null;
    else update({ error: error as PhotoServiceError });
    return error instanceof CursorExpiredError || events.isWorthWaiting(error);
  }

  return live as unknown as Live<LiveGroupSnapshot<Keys>>;
}

/** Notices retries by the same client, of the group or of one of its jobs. */
function listen(
  service: PhotoService,
  id: string,
  { members, show, resume }: { members: GroupMembers; show(): void; resume(): void },
): () => void {
  const stops = [
    changesOf(service).listen((retried) => {
      if (retried === id) resume();
    }),
    partsFor(service).rows.listen((row) => {
      if (!members.has(row.id)) return;
      members.keep(row);
      show();
      if (!isFinished(row)) resume();
    }),
  ];
  return () => stops.forEach((stop) => stop());
}

/** The counts belong to logged events; those of a PROGRESS can be ahead of them. */
function groupAfter({ type, queuedJob }: GroupEvent, before: JobGroup | null): JobGroup | null {
  const { group } = queuedJob;
  return type === "PROGRESS" && before && group ? { ...before, progress: group.progress } : group;
}
