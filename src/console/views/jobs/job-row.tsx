import { isFinished } from "../../../../client/src/index.js";
import { moment, plural, standing, STATUS_WORDS } from "../../in-words.js";
import type { QueuedJob } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Preview } from "../preview.js";

export function JobRow({
  id,
  index,
  count,
  top,
}: {
  id: string;
  index: number;
  count: number;
  top: number;
}) {
  const { list, selection } = useWorkspace();
  const row = list.row(id)?.value;
  if (!row) return null;
  const { status, photos, createdAt, job } = row;
  return (
    <li
      data-id={id}
      class={`job-row is-${status.toLowerCase()}`}
      style={{ top: `${top}px` }}
      aria-posinset={index + 1}
      aria-setsize={count}
    >
      <button
        type="button"
        class="open"
        aria-current={selection.id.value === id}
        onClick={() => selection.select(id)}
      >
        {photos[0] ? (
          <Preview photo={photos[0]} />
        ) : (
          <span class="preview no-photo" aria-hidden="true">
            {job.title.charAt(0)}
          </span>
        )}
        <span class="what">
          <strong>{job.title}</strong>
          <span class="faint">{about(row)}</span>
        </span>
        <RowState row={row} />
        <time dateTime={createdAt} class="faint">
          {moment(createdAt)}
        </time>
      </button>
      {status === "STARTED" && (
        <progress value={row.progress} max={1} aria-label={`Progress of ${job.title}`} />
      )}
      <JobButtons row={row} />
    </li>
  );
}

function RowState({ row }: { row: QueuedJob }) {
  const line = standing(row, useWorkspace().limits.value);
  return (
    <span class="state">
      <span class="status">
        {STATUS_WORDS[row.status]}
        {row.status === "STARTED" && ` ${Math.round(row.progress * 100)} %`}
      </span>
      {line && (
        <span class="faint standing" title={line}>
          {line}
        </span>
      )}
    </span>
  );
}

function about({ photos, attempts }: QueuedJob): string {
  const [first, ...rest] = photos;
  const name = first ? first.filename : "no photo";
  return [
    rest.length > 0 ? `${name} and ${plural(rest.length, "other")}` : name,
    attempts > 1 && `attempt ${attempts}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Buttons for the actions that the job's status allows. */
export function JobButtons({
  row: { id, status, job },
}: {
  row: Pick<QueuedJob, "id" | "status" | "job">;
}) {
  const { act } = useWorkspace();
  const button = (what: "cancel" | "retry" | "delete", word: string) => (
    <button
      type="button"
      class="quiet"
      onClick={() => void act(what, id)}
      aria-label={`${word} ${job.title}`}
    >
      {word}
    </button>
  );
  return (
    <span class="buttons">
      {!isFinished({ status }) && button("cancel", "Cancel")}
      {(status === "FAILED" || status === "CANCELLED") && button("retry", "Retry")}
      {isFinished({ status }) && button("delete", "Delete")}
    </span>
  );
}
