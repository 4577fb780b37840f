import { effect, signal, type ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { connect, type Connected } from "../../client/src/connect.js";
import { isFinished, UnauthenticatedError, type Query } from "../../client/src/index.js";
import type { JobSearch } from "./address/address.js";
import { part, router } from "./address/router.js";
import { createLiveFeed, type LiveFeed } from "./feed/live-feed.js";
import { STATUS_WORDS } from "./in-words.js";
import { createJobActions, type JobActions } from "./jobs/job-actions.js";
import { createJobCounts, type JobCounts } from "./jobs/job-counts.js";
import { createJobList, type JobList } from "./jobs/job-list.js";
import type { Filter } from "./jobs/list-pages.js";
import { createOpenGroup, type OpenGroup } from "./jobs/open-group.js";
import { createOpenJob, type OpenJob } from "./jobs/open-job.js";
import { createPhotoLibrary, type PhotoLibrary } from "./library/library.js";
import { createPhotoActions, type PhotoActions } from "./library/photo-actions.js";
import { createRenewal } from "./library/reads.js";
import { createDeletions, type Deletions } from "./notices/deletions.js";
import { createStanding, type LimitsNow, type Standing } from "./notices/limits.js";
import { createNotices, type Notices } from "./notices/notices.js";
import { KEEP, WELCOME } from "./operations.js";
import { createSubmission, type Submission, type Submitted } from "./submission/submission.js";
import type { Job, Me, Photo, QueuedJobEvent } from "./types.js";
import { createInterrupted, type Interrupted } from "./uploads/interrupted.js";
import { createUploads, type Uploads } from "./uploads/uploads.js";

/** State and actions of a signed-in user. */
export interface Workspace extends Omit<Standing, "refresh">, JobActions {
  readonly me: Me;
  readonly ask: Query;
  readonly library: PhotoLibrary;
  readonly photos: PhotoActions;
  readonly uploads: Uploads;
  readonly interrupted: Interrupted;
  readonly submission: Submission;
  readonly list: JobList;
  readonly counts: JobCounts;
  readonly openJob: OpenJob;
  readonly openGroup: OpenGroup;
  readonly feed: LiveFeed;
  readonly notices: Notices;
  readonly deletions: Deletions;
  /** Text for screen readers. */
  readonly announcement: ReadonlySignal<string>;
  /** The photo with URLs that have not expired. */
  renewed(id: string): Promise<Photo | undefined>;
  /** Copies an output to the photos. Throws PhotoServiceError. */
  keepOutput(queuedJobId: string, name: string): Promise<Photo>;
  close(): void;
}

interface Welcome extends LimitsNow {
  me: Me;
  jobs: { nodes: Job[] };
}

const QUEUE_INTERVAL_MS = 3000;

const openedJob = part(({ job }) => job);
const openedGroup = part(({ group }) => group);

interface Options {
  token: string;
  onSignedOut(why: string): void;
}

/** Throws PhotoServiceError if the token is not valid or the service cannot be reached. */
export async function createWorkspace({ token, onSignedOut }: Options): Promise<Workspace> {
  const service = connect({ url: location.origin, token });
  const ask = createAsk(service, onSignedOut);
  const list = createJobList(ask, toListFilter(router.address.peek().jobs));
  const library = createPhotoLibrary(
    ask,
    part(({ photos }) => photos),
  );
  try {
    const [welcome, eventCursor] = await Promise.all([ask<Welcome>(WELCOME), list.read()]);
    return assemble({ service, ask, list, library, welcome, eventCursor, onSignedOut });
  } catch (error) {
    library.close();
    service.close();
    throw error;
  }
}

interface Beginning extends Pick<Options, "onSignedOut"> {
  service: Connected;
  ask: Query;
  list: JobList;
  library: PhotoLibrary;
  welcome: Welcome;
  eventCursor: string;
}

function assemble(beginning: Beginning): Workspace {
  const { service, ask, list, library, welcome, eventCursor } = beginning;
  const { refresh, ...standing } = createStanding(ask, welcome);
  const notices = createNotices();
  const deletions = createDeletions(notices);
  const photos = createPhotoActions({ ask, library, notices, deletions });
  const counts = createJobCounts(ask, list);
  const openJob = createOpenJob(ask, list, openedJob);
  const openGroup = createOpenGroup(ask, list, openedGroup);
  const { feed, announcement } = createFeed(beginning, { photos, counts, openGroup, refresh });
  const submission = createSubmission({
    ask,
    jobs: welcome.jobs.nodes.filter(({ enabled }) => enabled),
    photoIds: photos.ids,
    onSubmitted: (submitted) => showSubmitted({ list, photos }, submitted),
  });
  const { maxUploadBytes: maxBytes } = welcome.me.limits;
  const uploads = createUploads({ upload: service.upload, maxBytes, onUploaded: refresh });
  const interrupted = createInterrupted(uploads.list);
  feed.start(eventCursor);
  const stops = [
    refreshQueuePositions(list),
    followAddress(list, submission),
    effect(() => {
      if (feed.state.value.kind === "live") submission.clearFailure();
    }),
    ...[openJob, openGroup, photos, counts, library, interrupted, feed, service].map(
      (each) => () => each.close(),
    ),
  ];
  return {
    me: welcome.me,
    ask,
    ...standing,
    library,
    photos,
    uploads,
    interrupted,
    submission,
    list,
    counts,
    openJob,
    openGroup,
    feed,
    notices,
    deletions,
    announcement,
    renewed: createRenewal(ask),
    ...createJobActions(ask, { list, notices, deletions }),
    keepOutput: (queuedJobId, name) => keepOutput(ask, queuedJobId, name),
    close: () => stops.forEach((stop) => stop()),
  };
}

/** Passes each event to the parts that it concerns. */
function createFeed(
  { service, ask, list, library, onSignedOut }: Beginning,
  parts: Pick<Workspace, "photos" | "counts" | "openGroup"> & { refresh(): void },
): Pick<Workspace, "feed" | "announcement"> {
  const { photos, counts, openGroup, refresh } = parts;
  const announcement = signal("");
  const feed = createLiveFeed({
    follow: service.events.follow,
    ask,
    onEvent(event) {
      list.apply(event);
      if (event.type === "DELETED") openGroup.forget(event.queuedJob.id);
      if (event.type === "PROGRESS") return;
      announcement.value = announcementOf(event) ?? announcement.value;
      counts.refresh();
      refresh();
    },
    onPhotoEvent(event) {
      library.apply(event);
      list.applyPhoto(event);
      if (event.type === "DELETED") photos.forget(event.photo.id);
      refresh();
    },
    onSignedOut,
    async onExpired() {
      list.groups.expire();
      const cursor = await list.read();
      void openGroup.read();
      await library.read();
      return cursor;
    },
  });
  return { feed, announcement };
}

async function keepOutput(ask: Query, queuedJobId: string, name: string): Promise<Photo> {
  return (await ask<{ keepOutput: Photo }>(KEEP, { queuedJobId, name })).keepOutput;
}

/** The page shows a failure at once; its user, or the next interval, tries again. */
function createAsk({ query }: Connected, onSignedOut: (why: string) => void): Query {
  return <Data>(document: string, variables?: object) =>
    query<Data>(document, variables, { retryForMs: 0 }).catch((error: unknown) => {
      if (error instanceof UnauthenticatedError) onSignedOut(error.message);
      throw error;
    });
}

/** Leads to what was submitted: the details of a job, or the jobs of a group. */
function showSubmitted(
  { list, photos }: Pick<Workspace, "list" | "photos">,
  { enqueueJob, enqueueGroup }: Submitted,
): void {
  if (enqueueJob) list.take([enqueueJob]);
  if (enqueueGroup) list.groups.keep(enqueueGroup);
  photos.clear();
  const [job, group] = [enqueueJob?.id ?? null, enqueueGroup?.id ?? null];
  router.go({ view: "jobs", isComposing: false, job, group }, { replace: true });
}

function announcementOf({ type, queuedJob }: QueuedJobEvent): string | null {
  const { status, job } = queuedJob;
  return isFinished(queuedJob) && type !== "DELETED"
    ? `${job.title}: ${STATUS_WORDS[status].toLowerCase()}`
    : null;
}

function toListFilter({ status, job }: JobSearch): Filter {
  return { status, job: job ? [job] : [] };
}

/** Reads the list again for another filter, and chooses the Job that the address names. */
function followAddress(list: JobList, submission: Submission): () => void {
  const search = part(({ jobs }) => jobs);
  const newJob = part((address) => address.newJob);
  const stops = [
    effect(() => {
      const wanted = toListFilter(search.value);
      if (JSON.stringify(wanted) !== JSON.stringify(list.filter.peek()))
        void list.read(wanted).catch(() => {});
    }),
    effect(() => submission.choose(newJob.value)),
  ];
  return () => stops.forEach((stop) => stop());
}

/** Polls, because no event reports that the queue has moved. */
function refreshQueuePositions(list: JobList): () => void {
  const timer = setInterval(() => {
    if (document.hidden) return;
    const waiting = list.ids
      .peek()
      .slice(0, 200)
      .filter((id) => {
        const row = list.row(id)?.peek();
        return row?.status === "PENDING" && row.waitingFor === 0;
      });
    void list.refresh(waiting.slice(-20));
  }, QUEUE_INTERVAL_MS);
  return () => clearInterval(timer);
}

export const WorkspaceContext = createContext<Workspace | null>(null);

/** The workspace of the signed-in user; throws if no user is signed in. */
export function useWorkspace(): Workspace {
  const workspace = useContext(WorkspaceContext);
  if (!workspace) throw new Error("No user is signed in");
  return workspace;
}
