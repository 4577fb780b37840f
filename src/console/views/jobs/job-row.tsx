import { isFinished } from "../../../../client/src/index.js";
import { router } from "../../address/router.js";
import { ago, moment, plural, standing } from "../../in-words.js";
import type { QueuedJob } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Icon, type IconName } from "../frame/icons.js";
import { Preview } from "../preview.js";
import { now } from "./now.js";
import { StatusPill } from "./status-pill.js";

/** Time in which a row counts as new, or its state as changed. */
const FRESH_MS = 3000;
const isFresh = (instant: string): boolean => Date.now() - Date.parse(instant) < FRESH_MS;

interface JobRowProps {
  id: string;
  index: number;
  count: number;
  top: number;
  isChosen: boolean;
  /** True for the one row that the Tab key reaches. */
  isTabStop: boolean;
  onChoose(): void;
}

export function JobRow({ id, index, count, top, isChosen, isTabStop, onChoose }: JobRowProps) {
  const { list, openJob, deletions } = useWorkspace();
  const row = list.row(id)?.value;
  if (!row) return null;
  const { status, createdAt, job } = row;
  const isOpen = openJob.id.value === id;
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
      style={{ top: `${top}px` }}
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
        {...router.link({ job: id })}
        aria-current={isOpen}
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          onChoose();
        }}
      >
        <Picture row={row} />
        <span class="what">
          <strong>{job.title}</strong>
          <span class="faint">{useAbout(row)}</span>
        </span>
        <RowState row={row} />
        <time dateTime={createdAt} class="faint" title={moment(createdAt)}>
          {ago(createdAt, now.value)}
        </time>
      </a>
      {status === "STARTED" && (
        <progress value={row.progress} max={1} aria-label={`Progress of ${job.title}`} />
      )}
      <JobButtons row={row} isTabStop={isTabStop} />
    </li>
  );
}

function Picture({ row: { photos, job } }: { row: QueuedJob }) {
  const [photo] = photos;
  return (
    <span class={photos.length > 1 ? "input-picture is-several" : "input-picture"}>
      {photo ? (
        <Preview photo={photo} />
      ) : (
        <span class="preview no-photo" aria-hidden="true">
          {job.title.charAt(0)}
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
function useAbout({ photos, attempts, isPartial, job }: QueuedJob): string {
  const { submission } = useWorkspace();
  const [first, ...rest] = photos;
  const needsPhoto = (submission.jobs.find(({ name }) => name === job.name)?.minPhotos ?? 0) > 0;
  const missing = needsPhoto && !isPartial ? "photo deleted" : "";
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
}: {
  row: Pick<QueuedJob, "id" | "status" | "job" | "error">;
  hasWords?: boolean;
  isTabStop?: boolean;
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
      onClick={() => void act(what, [id])}
      aria-label={`${WORDS[what]} ${job.title}`}
      title={WORDS[what]}
    >
      <Icon name={ICONS[what]} size={hasWords ? 16 : 18} />
      {hasWords && WORDS[what]}
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
