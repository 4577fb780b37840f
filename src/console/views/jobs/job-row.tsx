import type { ComponentChildren } from "preact";
import { isFinished } from "../../../../client/src/index.js";
import type { Address } from "../../address/address.js";
import { router } from "../../address/router.js";
import { ago, countsOf, moment, plural, standing } from "../../in-words.js";
import { type Group, statusOf, titleOf } from "../../jobs/job-groups.js";
import type { QueuedJob } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Icon, type IconName } from "../frame/icons.js";
import { Preview } from "../preview.js";
import { GroupBar } from "./group-bar.js";
import { now } from "./now.js";
import { StatusPill } from "./status-pill.js";

/** Time in which a row counts as new, or its state as changed. */
const FRESH_MS = 3000;
/** Steps of a group by which a row is indented at most. */
const MAX_DEPTH = 3;
const isFresh = (instant: string): boolean => Date.now() - Date.parse(instant) < FRESH_MS;

interface RowPlace {
  id: string;
  index: number;
  count: number;
  top: number;
  isChosen: boolean;
  /** True for the one row that the Tab key reaches. */
  isTabStop: boolean;
  onChoose(): void;
}

/** A job, or a group with one bar for all of its jobs. */
export function JobRow(place: RowPlace) {
  const { list, openJob, openGroup } = useWorkspace();
  const group = list.groups.get(place.id)?.value;
  if (group) return <GroupRow place={place} group={group} />;
  const row = list.row(place.id)?.value;
  if (!row) return null;
  const step = openGroup.placeOf(row.id);
  const photos = row.photos.length === 0 && step?.photo ? [step.photo] : row.photos;
  return (
    <Row
      place={place}
      of={row}
      depth={step?.depth ?? 0}
      photos={photos}
      about={useAbout({ ...row, photos })}
      changes={{ job: row.id }}
      isOpen={openJob.id.value === row.id}
    >
      <RowState row={row} />
    </Row>
  );
}

function GroupRow({ place, group }: { place: RowPlace; group: Group }) {
  const { id, createdAt, progress, cover } = group;
  const [status, title] = [statusOf(group), titleOf(group)];
  return (
    <Row
      place={place}
      of={{ id, createdAt, status, job: { title }, error: null }}
      photos={cover ? [cover, cover] : []}
      about={countsOf(group)}
      changes={{ group: id, job: null }}
    >
      <span class="state">
        <StatusPill key={status} status={status} progress={progress} />
        <GroupBar group={group} />
      </span>
    </Row>
  );
}

type Named = Pick<QueuedJob, "id" | "status" | "error"> & { job: { title: string } };

interface RowProps {
  place: RowPlace;
  of: Named & Pick<QueuedJob, "createdAt"> & Partial<Pick<QueuedJob, "progress">>;
  depth?: number;
  photos: QueuedJob["photos"];
  about: string;
  /** The address that the row leads to. */
  changes: Partial<Address>;
  isOpen?: boolean;
  children: ComponentChildren;
}

function Row({ place, of, depth = 0, photos, about, changes, isOpen, children }: RowProps) {
  const { deletions } = useWorkspace();
  const { index, count, top, isChosen, isTabStop, onChoose } = place;
  const { id, status, createdAt, job, progress } = of;
  const classes = [
    "job-row",
    `is-${status.toLowerCase()}`,
    isOpen && "is-open",
    isFresh(createdAt) && "is-new",
    deletions.leaving.value.has(id) && "is-leaving",
  ];
  return (
    <li
      data-id={id}
      class={classes.filter(Boolean).join(" ")}
      style={{ top: `${top}px`, "--depth": Math.min(depth, MAX_DEPTH) }}
      aria-posinset={index + 1}
      aria-setsize={count}
    >
      <input
        type="checkbox"
        tabIndex={isTabStop ? 0 : -1}
        aria-label={`Select ${job.title}`}
        checked={isChosen}
        onChange={onChoose}
      />
      <a
        class={isTabStop ? "open tab-stop" : "open"}
        tabIndex={isTabStop ? 0 : -1}
        {...router.link(changes)}
        aria-current={isOpen}
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          onChoose();
        }}
      >
        <Picture photos={photos} title={job.title} />
        <span class="what">
          <strong>{job.title}</strong>
          <span class="faint">{about}</span>
        </span>
        {children}
        <time dateTime={createdAt} class="faint" title={moment(createdAt)}>
          {ago(createdAt, now.value)}
        </time>
      </a>
      {status === "STARTED" && progress !== undefined && (
        <progress value={progress} max={1} aria-label={`Progress of ${job.title}`} />
      )}
      <JobButtons row={of} isTabStop={isTabStop} />
    </li>
  );
}

function Picture({ photos, title }: { photos: QueuedJob["photos"]; title: string }) {
  const [photo] = photos;
  return (
    <span class={photos.length > 1 ? "input-picture is-several" : "input-picture"}>
      {photo ? (
        <Preview photo={photo} />
      ) : (
        <span class="preview no-photo" aria-hidden="true">
          {title.charAt(0)}
        </span>
      )}
    </span>
  );
}

function RowState({ row }: { row: QueuedJob }) {
  const line = standing(row, useWorkspace().limits.value);
  return (
    <span class="state">
      <StatusPill
        key={row.status}
        status={row.status}
        progress={row.progress}
        isFresh={isFresh(row.updatedAt)}
      />
      {line && (
        <span class="faint standing" title={line}>
          {line}
        </span>
      )}
    </span>
  );
}

/** The photo that a job works on, or why there is none. */
function useAbout({ photos, attempts, isPartial, job, key }: QueuedJob): string {
  const { submission } = useWorkspace();
  const [first, ...rest] = photos;
  const needsPhoto = (submission.jobs.find(({ name }) => name === job.name)?.minPhotos ?? 0) > 0;
  const missing = key ?? (needsPhoto && !isPartial ? "photo deleted" : "");
  const name = first ? first.filename : missing;
  return [
    rest.length > 0 ? `${name} and ${plural(rest.length, "other")}` : name,
    attempts > 1 && `attempt ${attempts}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

const WORDS = { cancel: "Cancel", retry: "Retry", delete: "Delete" } as const;
const ICONS: Record<keyof typeof WORDS, IconName> = {
  cancel: "stop",
  retry: "retry",
  delete: "trash",
};

/** Buttons for the actions that the job's status allows. */
export function JobButtons({
  row: { id, status, job, error },
  hasWords = false,
  isTabStop = true,
  onDelete,
}: {
  row: Named;
  hasWords?: boolean;
  isTabStop?: boolean;
  onDelete?: () => void;
}) {
  const { act, deletions } = useWorkspace();
  if (deletions.leaving.value.has(id)) return null;
  // Another attempt at a broken picture fails as well.
  const canHelp = status === "FAILED" && error?.code !== "PHOTO_UNREADABLE";
  const button = (what: keyof typeof WORDS) => (
    <button
      type="button"
      class={hasWords ? "small" : "plain"}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => {
        void act(what, [id]);
        if (what === "delete") onDelete?.();
      }}
      aria-label={`${WORDS[what]} ${job.title}`}
      title={WORDS[what]}
    >
      <Icon name={ICONS[what]} size={hasWords ? 16 : 18} />
      {hasWords && <span>{WORDS[what]}</span>}
    </button>
  );
  return (
    <span class="buttons">
      {!isFinished({ status }) && button("cancel")}
      {(status === "CANCELLED" || canHelp) && button("retry")}
      {isFinished({ status }) && button("delete")}
    </span>
  );
}
