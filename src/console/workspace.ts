import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { createGraphqlClient, type Ask } from "./graphql-client.js";
import { STATUS_WORDS } from "./in-words.js";
import { createJobList, type JobList } from "./job-list.js";
import { createLatePreviews, type LatePreviews } from "./photos/late-previews.js";
import { createLiveFeed, type LiveFeed } from "./live-feed.js";
import { CANCEL, DELETE, LIMITS_NOW, RETRY, WELCOME, photosQuery } from "./operations.js";
import { createPhotoLibrary, type PhotoLibrary, type PhotoPage } from "./photos/photo-library.js";
import { createSelection, type Selection } from "./photos/selection.js";
import { createSubmission, type Submission } from "./submission.js";
import {
  isFinished,
  type Job,
  type Limits,
  type Me,
  type Photo,
  type QueuedJob,
  type QueuedJobEvent,
} from "./types.js";
import { createUploads, type Uploads } from "./photos/uploads.js";

/** Everything that a signed-in person works with. */
export interface Workspace {
  readonly me: Me;
  readonly limits: ReadonlySignal<Limits>;
  readonly photos: PhotoLibrary;
  readonly uploads: Uploads;
  readonly submission: Submission;
  readonly list: JobList;
  readonly selection: Selection;
  readonly feed: LiveFeed;
  readonly latePreviews: LatePreviews;
  /** What is read out to those who do not see the list. */
  readonly announcement: ReadonlySignal<string>;
  /** Why the last button that was pressed did nothing. */
  readonly complaint: Signal<string | null>;
  act(what: "cancel" | "retry" | "delete", id: string): Promise<void>;
  findPhotos(ids: readonly string[]): Promise<Photo[]>;
  close(): void;
}

interface Welcome {
  me: Me;
  jobs: { nodes: Job[] };
  photos: PhotoPage;
}

const LIMITS_EVERY_MS = 1500;

/** Throws RequestError when the token does not hold or the service is away. */
export async function createWorkspace({
  token,
  onSignedOut,
}: {
  token: string;
  onSignedOut(why: string): void;
}): Promise<Workspace> {
  const ask = createGraphqlClient({ token, onSignedOut });
  const list = createJobList(ask);
  const [{ me, jobs, photos: firstPhotos }, eventCursor] = await Promise.all([
    ask<Welcome>(WELCOME),
    list.read(),
  ]);
  const photos = createPhotoLibrary(ask, firstPhotos);
  const { limits, refresh } = createLimits(ask, me.limits);
  const announcement = signal("");
  const complaint = signal<string | null>(null);
  const selection = createSelection(ask, list);

  function onEvent(event: QueuedJobEvent): void {
    list.apply(event);
    if (event.type === "PROGRESS") return;
    const { status, job } = event.queuedJob;
    if (isFinished(status) && event.type !== "DELETED")
      announcement.value = `${job.title}: ${STATUS_WORDS[status].toLowerCase()}`;
    refresh();
  }

  function onPhoto(photo: Photo): void {
    photos.add(photo);
    refresh();
  }

  const feed = createLiveFeed({
    token,
    ask,
    onEvent,
    onSignedOut,
    onExpired: () => void list.read().then(feed.start, () => {}),
  });
  feed.start(eventCursor);

  const submission = createSubmission({
    ask,
    jobs: jobs.nodes.filter(({ enabled }) => enabled),
    photoIds: photos.chosen,
    onSubmitted(queuedJobs) {
      list.take(queuedJobs);
      selection.select(queuedJobs.at(-1)?.id ?? null);
    },
  });
  const uploads = createUploads({ token, maxBytes: me.limits.maxUploadBytes, onPhoto });
  const latePreviews = createLatePreviews((ids) => findPhotos(ask, ids));
  const waiting = setInterval(() => void refreshLine(list), 3000);

  return {
    me,
    limits,
    photos,
    uploads,
    submission,
    list,
    selection,
    feed,
    announcement,
    complaint,
    latePreviews,
    act: (what, id) =>
      act(ask, list, what, id).then(
        () => {
          complaint.value = null;
        },
        (error: unknown) => {
          complaint.value = error instanceof Error ? error.message : String(error);
        },
      ),
    findPhotos: (ids) => findPhotos(ask, ids),
    close() {
      clearInterval(waiting);
      latePreviews.close();
      selection.close();
      feed.close();
    },
  };
}

async function act(
  ask: Ask,
  list: JobList,
  what: "cancel" | "retry" | "delete",
  id: string,
): Promise<void> {
  if (what === "delete") {
    await ask(DELETE, { id });
    return list.remove(id);
  }
  const answer = await ask<Record<string, QueuedJob>>(what === "cancel" ? CANCEL : RETRY, { id });
  list.take(Object.values(answer));
}

/** No event tells that the line has moved on. */
async function refreshLine(list: JobList): Promise<void> {
  if (document.hidden) return;
  await list.refresh(
    list.ids
      .peek()
      .slice(0, 200)
      .filter((id) => list.row(id)?.peek().status === "PENDING")
      .slice(-20),
  );
}

async function findPhotos(ask: Ask, ids: readonly string[]): Promise<Photo[]> {
  if (ids.length === 0) return [];
  const found = await ask<Record<string, Photo | null>>(
    photosQuery(ids.length),
    Object.fromEntries(ids.map((id, i) => [`i${i}`, id])),
  );
  return Object.values(found).filter((photo) => photo !== null);
}

/** Read again when something may have changed them, and not more often than one can read. */
function createLimits(
  ask: Ask,
  first: Limits,
): { limits: ReadonlySignal<Limits>; refresh(): void } {
  const limits = signal(first);
  let timer: ReturnType<typeof setTimeout> | null = null;
  const read = async (): Promise<void> => {
    timer = null;
    const answer = await ask<{ me: { limits: Limits } }>(LIMITS_NOW).catch(() => null);
    if (answer) limits.value = answer.me.limits;
  };
  return {
    limits,
    refresh: () => {
      timer ??= setTimeout(() => void read(), LIMITS_EVERY_MS);
    },
  };
}

export const WorkspaceContext = createContext<Workspace | null>(null);

/** Of the person who is signed in; for what is shown to them only. */
export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (!workspace) throw new Error("Nobody is signed in");
  return workspace;
}
