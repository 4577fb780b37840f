import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import {
  createPhotoService,
  isFinished,
  UnauthenticatedError,
  type PhotoService,
  type Query,
} from "../../client/src/index.js";
import { messageOf, STATUS_WORDS } from "./in-words.js";
import { createJobList, type JobList } from "./jobs/job-list.js";
import {
  createLatePreviews,
  type LatePreviews,
  createPhotoLibrary,
  type PhotoLibrary,
  type PhotoPage,
} from "./photos/photo-library.js";
import { createLiveFeed, type LiveFeed } from "./feed/live-feed.js";
import { CANCEL, DELETE, KEEP, LIMITS_NOW, RETRY, WELCOME, photosQuery } from "./operations.js";
import { createSelection, type Selection } from "./photos/selection.js";
import { createSubmission, type Submission } from "./submission/submission.js";
import type { Job, Limits, Me, Photo, QueuedJob, QueuedJobEvent } from "./types.js";
import { createUploads, type Uploads } from "./photos/uploads.js";

/** State and actions of a signed-in user. */
export interface Workspace {
  readonly me: Me;
  readonly limits: ReadonlySignal<Limits>;
  /** Names of the Jobs that an operator has paused. */
  readonly pausedJobs: ReadonlySignal<readonly string[]>;
  readonly photos: PhotoLibrary;
  readonly uploads: Uploads;
  readonly submission: Submission;
  readonly list: JobList;
  readonly selection: Selection;
  readonly feed: LiveFeed;
  readonly latePreviews: LatePreviews;
  /** Text for screen readers. */
  readonly announcement: ReadonlySignal<string>;
  /** Error message of the last action that failed. */
  readonly complaint: Signal<string | null>;
  act(what: "cancel" | "retry" | "delete", id: string): Promise<void>;
  findPhotos(ids: readonly string[]): Promise<Photo[]>;
  /** Copies an output to the photos. */
  keepOutput(queuedJobId: string, name: string): Promise<void>;
  close(): void;
}

interface Welcome {
  me: Me;
  jobs: { nodes: Job[] };
  photos: PhotoPage;
}

interface LimitsNow {
  me: { limits: Limits };
  jobs: { nodes: Pick<Job, "name" | "paused">[] };
}

const LIMITS_INTERVAL_MS = 1500;
const QUEUE_INTERVAL_MS = 3000;

/** Throws PhotoServiceError if the token is not valid or the service cannot be reached. */
export async function createWorkspace(options: {
  token: string;
  onSignedOut(why: string): void;
}): Promise<Workspace> {
  const { token, onSignedOut } = options;
  const service = createPhotoService({ url: location.origin, token });
  const ask = createAsk(service, onSignedOut);
  const list = createJobList(ask);
  const [welcome, eventCursor] = await Promise.all([ask<Welcome>(WELCOME), list.read()]);
  const { refresh, ...standing } = createLimits(ask, welcome);
  const photoParts = createPhotoParts(ask, { service, welcome, onUploaded: refresh });
  const announcement = signal("");
  const selection = createSelection(ask, list);
  const feed = createLiveFeed({
    follow: service.follow,
    ask,
    onEvent(event) {
      list.apply(event);
      if (event.type === "PROGRESS") return;
      announcement.value = announcementOf(event) ?? announcement.value;
      refresh();
    },
    onSignedOut,
    onExpired: list.read,
  });
  feed.start(eventCursor);

  const submission = createSubmission({
    ask,
    jobs: welcome.jobs.nodes.filter(({ enabled }) => enabled),
    photoIds: photoParts.photos.chosen,
    onSubmitted(queuedJobs) {
      list.take(queuedJobs);
      selection.select(queuedJobs.at(-1)?.id ?? null);
    },
  });
  const stopRefreshing = refreshQueuePositions(list);
  return {
    me: welcome.me,
    ...standing,
    ...photoParts,
    submission,
    list,
    selection,
    feed,
    announcement,
    ...createActions(ask, list),
    close() {
      stopRefreshing();
      photoParts.latePreviews.close();
      selection.close();
      feed.close();
      service.close();
    },
  };
}

/** The page shows a failure at once; its user, or the next interval, tries again. */
function createAsk({ query }: PhotoService, onSignedOut: (why: string) => void): Query {
  return <Data>(document: string, variables?: object) =>
    query<Data>(document, variables, { retryForMs: 0 }).catch((error: unknown) => {
      if (error instanceof UnauthenticatedError) onSignedOut(error.message);
      throw error;
    });
}

function createPhotoParts(
  ask: Query,
  options: { service: PhotoService; welcome: Welcome; onUploaded(): void },
): Pick<Workspace, "photos" | "uploads" | "latePreviews" | "findPhotos" | "keepOutput"> {
  const { service, welcome, onUploaded } = options;
  const photos = createPhotoLibrary(ask, welcome.photos);
  function onPhoto(photo: Photo): void {
    photos.add(photo);
    onUploaded();
  }
  return {
    photos,
    uploads: createUploads({
      upload: service.upload,
      maxBytes: welcome.me.limits.maxUploadBytes,
      onPhoto,
    }),
    latePreviews: createLatePreviews((ids) => findPhotos(ask, ids)),
    findPhotos: (ids) => findPhotos(ask, ids),
    async keepOutput(queuedJobId, name) {
      const { keepOutput: photo } = await ask<{ keepOutput: Photo }>(KEEP, { queuedJobId, name });
      onPhoto(photo);
    },
  };
}

function announcementOf({ type, queuedJob }: QueuedJobEvent): string | null {
  const { status, job } = queuedJob;
  return isFinished(queuedJob) && type !== "DELETED"
    ? `${job.title}: ${STATUS_WORDS[status].toLowerCase()}`
    : null;
}

function createActions(ask: Query, list: JobList): Pick<Workspace, "complaint" | "act"> {
  const complaint = signal<string | null>(null);
  return {
    complaint,
    async act(what, id) {
      try {
        if (what === "delete") {
          await ask(DELETE, { id });
          list.remove(id);
        } else {
          const mutation = what === "cancel" ? CANCEL : RETRY;
          list.take(Object.values(await ask<Record<string, QueuedJob>>(mutation, { id })));
        }
        complaint.value = null;
      } catch (error) {
        complaint.value = messageOf(error);
      }
    },
  };
}

/** Polls, because no event reports that the queue has moved. */
function refreshQueuePositions(list: JobList): () => void {
  const timer = setInterval(() => {
    if (document.hidden) return;
    const waiting = list.ids
      .peek()
      .slice(0, 200)
      .filter((id) => list.row(id)?.peek().status === "PENDING");
    void list.refresh(waiting.slice(-20));
  }, QUEUE_INTERVAL_MS);
  return () => clearInterval(timer);
}

async function findPhotos(ask: Query, ids: readonly string[]): Promise<Photo[]> {
  if (ids.length === 0) return [];
  const data = await ask<Record<string, Photo | null>>(
    photosQuery(ids.length),
    Object.fromEntries(ids.map((id, i) => [`i${i}`, id])),
  );
  return Object.values(data).filter((photo) => photo !== null);
}

/** The limits and pauses, read again after events that may change them, but not at every event. */
function createLimits(
  ask: Query,
  first: LimitsNow,
): Pick<Workspace, "limits" | "pausedJobs"> & { refresh(): void } {
  const limits = signal(first.me.limits);
  const pausedJobs = signal(pausedAmong(first));
  let timer: ReturnType<typeof setTimeout> | null = null;
  const read = async (): Promise<void> => {
    timer = null;
    const answer = await ask<LimitsNow>(LIMITS_NOW).catch(() => null);
    if (!answer) return;
    limits.value = answer.me.limits;
    pausedJobs.value = pausedAmong(answer);
  };
  return {
    limits,
    pausedJobs,
    refresh: () => {
      timer ??= setTimeout(() => void read(), LIMITS_INTERVAL_MS);
    },
  };
}

function pausedAmong({ jobs }: LimitsNow): string[] {
  return jobs.nodes.filter(({ paused }) => paused).map(({ name }) => name);
}

export const WorkspaceContext = createContext<Workspace | null>(null);

/** The workspace of the signed-in user; throws if no user is signed in. */
export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (!workspace) throw new Error("No user is signed in");
  return workspace;
}
