import { clock, duration } from "../../in-words.js";
import type { HistoryEvent } from "../../types.js";
import { CopyButton } from "../as-graphql.js";

const WORDS: Record<HistoryEvent["type"], string> = {
  QUEUED: "Queued",
  STARTED: "Started",
  PROGRESS: "Progress",
  RETRYING: "Tries again",
  SUCCEEDED: "Succeeded",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
  DELETED: "Deleted",
};

const CURSOR_TITLE = "Cursor: a stream resumed from here goes on with the next event";

/** Every logged step, with the cursor from which a stream would go on behind it. */
export function Timeline({ history }: { history: readonly HistoryEvent[] }) {
  if (history.length === 0) return <p class="faint">Its events have been cleared away.</p>;
  return (
    <ol class="timeline">
      {history.map((event, i) => (
        <Step key={event.cursor} event={event} before={history[i - 1]} />
      ))}
    </ol>
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
  return (
    <li class={`is-${type.toLowerCase()}`}>
      <span>
        <strong>{WORDS[type]}</strong>
        {type === "STARTED" && <span class="faint"> attempt {attempts}</span>}
      </span>
      <time dateTime={at} class="faint">
        {clock(at)}
        {before && ` · +${duration(Date.parse(at) - Date.parse(before.at))}`}
      </time>
      {error && <span class="fault">{error.message}</span>}
      <span class="cursor faint">
        version {version} <code title={CURSOR_TITLE}>{cursor}</code>{" "}
        <CopyButton text={cursor} what={`cursor of ${WORDS[type]}`} />
      </span>
    </li>
  );
}
