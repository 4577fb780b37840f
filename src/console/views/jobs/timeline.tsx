import { signal } from "@preact/signals";
import { clock, duration, moment } from "../../in-words.js";
import type { HistoryEvent } from "../../types.js";
import { CopyButton } from "../as-graphql.js";

const WORDS: Record<HistoryEvent["type"], string> = {
  QUEUED: "Queued",
  STARTED: "Started",
  PROGRESS: "Progress",
  RETRYING: "Retrying",
  SUCCEEDED: "Succeeded",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
  DELETED: "Deleted",
};

const CURSOR_TITLE = "Cursor: a stream resumed from here continues with the next event";
const areCursorsShown = signal(false);

/** Every recorded event. For developers each has its cursor, from which a stream can resume. */
export function Timeline({ history }: { history: readonly HistoryEvent[] }) {
  if (history.length === 0) return <p class="faint">The history has expired.</p>;
  return (
    <>
      <ol class="timeline">
        {history.map((event, i) => (
          <Step key={event.cursor} event={event} before={history[i - 1]} />
        ))}
      </ol>
      <label class="switch-line">
        <input
          type="checkbox"
          role="switch"
          checked={areCursorsShown.value}
          onChange={(event) => {
            areCursorsShown.value = event.currentTarget.checked;
          }}
        />
        Versions and cursors
      </label>
    </>
  );
}

function Step({
  event: { type, at, cursor, queuedJob },
  before,
}: {
  event: HistoryEvent;
  before: HistoryEvent | undefined;
}) {
  const { version, attempts, error } = queuedJob;
  // A later attempt still carries the error of the one before.
  const isFailure = type === "RETRYING" || type === "FAILED" || type === "CANCELLED";
  return (
    <li class={`is-${type.toLowerCase()}`}>
      <span>
        <strong>{WORDS[type]}</strong>
        {type === "STARTED" && <span class="faint"> attempt {attempts}</span>}
      </span>
      <time dateTime={at} class="faint" title={moment(at)}>
        {clock(at)}
        {before && ` · +${duration(Date.parse(at) - Date.parse(before.at))}`}
      </time>
      {isFailure && error && <span class="fault">{error.message}</span>}
      {areCursorsShown.value && (
        <span class="cursor faint">
          version {version} <code title={CURSOR_TITLE}>{cursor}</code>{" "}
          <CopyButton text={cursor} what={`cursor of ${WORDS[type]}`} />
        </span>
      )}
    </li>
  );
}
