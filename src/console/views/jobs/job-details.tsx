import { useEffect, useRef } from "preact/hooks";
import { moment, standing, STATUS_WORDS, clock, duration } from "../../in-words.js";
import { QUEUED_JOB } from "../../operations.js";
import { JobResult } from "../../results/job-result.js";
import type { QueuedJobDetails, HistoryEvent } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { AsGraphql, CopyButton } from "../as-graphql.js";
import { JobButtons } from "./job-row.js";

/** Same width as in narrow.css, where the details cover the page and so must take the focus. */
const isNarrow = matchMedia("(max-width: 760px)");

export function JobDetails() {
  const { selection, list, limits } = useWorkspace();
  const id = selection.id.value;
  // This read subscribes the component to added and removed rows.
  void list.ids.value;
  const ref = useRef<HTMLElement>(null);
  useEscape(() => selection.select(null));
  useEffect(() => {
    ref.current?.scrollTo(0, 0);
    if (id === null || !isNarrow.matches) return undefined;
    ref.current?.querySelector("button")?.focus();
    return () => document.querySelector<HTMLElement>(`[data-id="${id}"] button`)?.focus();
  }, [id]);
  if (id === null)
    return (
      <aside class="details is-empty" aria-label="Selected job">
        <p class="empty">Select a job to see its result and history.</p>
      </aside>
    );

  const details = selection.details.value;
  const row = list.row(id)?.value;
  const isGone = selection.isGone.value || (details?.id === id && !row);
  return (
    <aside class="details" aria-label="Selected job" ref={ref}>
      <header>
        <h2>{row?.job.title ?? "Job"}</h2>
        <button
          type="button"
          class="quiet close"
          aria-label="Close"
          onClick={() => selection.select(null)}
        >
          ✕
        </button>
      </header>
      {isGone && <p class="empty">This job was deleted.</p>}
      {row && !isGone && (
        <>
          <p class={`line is-${row.status.toLowerCase()}`}>
            <span class="status">{STATUS_WORDS[row.status]}</span>
            {row.status !== "FAILED" && <span class="faint">{standing(row, limits.value)}</span>}
            <JobButtons row={row} />
          </p>
          {row.status === "STARTED" && (
            <progress value={row.progress} max={1} aria-label="Progress" />
          )}
        </>
      )}
      {!isGone &&
        (details?.id === id ? (
          <Rest details={details} />
        ) : (
          <p aria-busy="true" class="faint">
            Loading…
          </p>
        ))}
    </aside>
  );
}

function useEscape(close: () => void): void {
  useEffect(() => {
    const receive = (event: KeyboardEvent): void => {
      if (event.key === "Escape") close();
    };
    addEventListener("keydown", receive);
    return () => removeEventListener("keydown", receive);
  }, []);
}

function Rest({ details }: { details: QueuedJobDetails }) {
  const { id, parameters, history, expiresAt, status, error, reusedFrom } = details;
  const { selection } = useWorkspace();
  return (
    <>
      {status === "FAILED" && error && (
        <p class="fault">
          <code>{error.code}</code> {error.message}
        </p>
      )}
      {reusedFrom && (
        <p class="faint">
          Reused the{" "}
          <button type="button" class="link" onClick={() => selection.select(reusedFrom)}>
            result
          </button>{" "}
          of an identical job.
        </p>
      )}
      {status === "SUCCESS" && <JobResult details={details} />}
      <h3>Timeline</h3>
      <Timeline history={history} />
      <h3>Parameters</h3>
      <pre tabIndex={0} aria-label="Parameters">
        <code>{JSON.stringify(parameters, null, 2)}</code>
      </pre>
      <p class="line faint">
        <code class="id">{id}</code> <CopyButton text={id} what="id" />
      </p>
      {expiresAt && <p class="faint kept">Expires {moment(expiresAt)}</p>}
      <AsGraphql label="Show as GraphQL" query={QUEUED_JOB} variables={{ id }} />
    </>
  );
}

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

/** Every recorded event, with its cursor, from which a stream can resume. */
function Timeline({ history }: { history: readonly HistoryEvent[] }) {
  if (history.length === 0) return <p class="faint">The history has expired.</p>;
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
