import { useEffect, useMemo, useRef } from "preact/hooks";
import { signal, type ReadonlySignal } from "@preact/signals";
import type { RefObject } from "preact";
import type { QueuedJobStatus } from "../../../../client/src/index.js";
import { useWorkspace } from "../../workspace.js";
import { JobRow } from "./job-row.js";
import { number, STATUS_WORDS } from "../../in-words.js";
import { toInput, type Filter } from "../../jobs/list-pages.js";
import { EVENTS, QUEUED_JOBS } from "../../operations.js";
import { AsGraphql } from "../as-graphql.js";

/** Height of a row; equals `--row` in base.css. */
const ROW_PX = 68;
/** Rows before the end at which the next page is read, so that users seldom wait for it. */
const AHEAD = 60;

/** The list of jobs. Only the visible rows are drawn. */
export function JobRows() {
  const { list, selection } = useWorkspace();
  const { ref, range } = useWindow(ROW_PX);
  const ids = list.ids.value;
  const { start, end } = range.value;
  const isNearEnd = end + AHEAD >= ids.length;
  useEffect(() => {
    if (isNearEnd && ids.length > 0) void list.readMore().catch(() => {});
  }, [isNearEnd, ids.length]);

  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(
      Math.max(0, ids.indexOf(selection.id.value ?? "") + step),
      ids.length - 1,
    );
    selection.select(ids[next] ?? null);
    reveal(ref.current, next, ids[next]);
  };

  const isEmpty = ids.length === 0 && !list.isReading.value;
  return (
    <div class="job-rows">
      <Complaint />
      {isEmpty && (
        <p class="empty">
          {isFiltered(list.filter.value)
            ? "No jobs match these filters."
            : "No jobs yet. Add a photo and submit a job; its progress shows here live."}
        </p>
      )}
      <ul
        ref={ref}
        style={{ height: `${ids.length * ROW_PX}px` }}
        onKeyDown={move}
        aria-label="Jobs, newest first"
        hidden={ids.length === 0}
      >
        {ids.slice(start, end).map((id, i) => (
          <JobRow
            key={id}
            id={id}
            index={start + i}
            count={ids.length}
            top={(start + i) * ROW_PX}
          />
        ))}
      </ul>
      {list.isReading.value && (
        <p class="faint" aria-busy="true">
          Loading…
        </p>
      )}
    </div>
  );
}

function Complaint() {
  const { complaint } = useWorkspace();
  if (!complaint.value) return null;
  const dismiss = (): void => {
    complaint.value = null;
  };
  return (
    <p role="alert" class="fault">
      {complaint.value}{" "}
      <button type="button" class="link" onClick={dismiss}>
        Dismiss
      </button>
    </p>
  );
}

/** Scrolls to the row first, because only visible rows are drawn and can take the focus. */
function reveal(box: HTMLElement | null, index: number, id: string | undefined): void {
  const scroller = box?.closest(".job-rows");
  const focus = (): void => box?.querySelector<HTMLElement>(`[data-id="${id}"] button`)?.focus();
  if (scroller && scroller.scrollHeight > scroller.clientHeight) {
    const [top, bottom] = [index * ROW_PX, (index + 1) * ROW_PX];
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = bottom - scroller.clientHeight;
  }
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

function isFiltered({
  status,
  job,
}: {
  status: readonly string[];
  job: readonly string[];
}): boolean {
  return status.length + job.length > 0;
}

/** `totalCount` is exact up to this number. */
const COUNTED = 10_000;

export function ListFilter() {
  const { list, submission } = useWorkspace();
  const { status, job } = list.filter.value;
  const total = list.totalCount.value;
  const read = (changes: Partial<Filter>): void =>
    void list.read({ ...list.filter.value, ...changes }).catch(() => {});
  return (
    <header class="list-head">
      <h2 id="jobs-title">
        Jobs{" "}
        <span class="count">{total >= COUNTED ? `${number(COUNTED)} or more` : number(total)}</span>
      </h2>
      <div class="filters">
        <select
          aria-label="State"
          value={status[0] ?? ""}
          onChange={(event) =>
            read({
              status: event.currentTarget.value
                ? [event.currentTarget.value as QueuedJobStatus]
                : [],
            })
          }
        >
          <option value="">Any state</option>
          {Object.entries(STATUS_WORDS).map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
        <select
          aria-label="Kind of job"
          value={job[0] ?? ""}
          onChange={(event) =>
            read({ job: event.currentTarget.value ? [event.currentTarget.value] : [] })
          }
        >
          <option value="">Any job</option>
          {submission.jobs.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <AsGraphql
        label="Show as GraphQL"
        query={`${QUEUED_JOBS}

${EVENTS}`}
        variables={{
          QueuedJobs: { first: 50, after: null, filter: toInput(list.filter.value) },
          Events: { after: "<eventCursor of the first page, then the cursor of the last event>" },
        }}
      />
    </header>
  );
}

interface Window {
  /** Index of the first row to draw; `end` is exclusive. */
  start: number;
  end: number;
}

/** Rows drawn beyond each edge, so that fast scrolling shows no gap. */
const SPARE = 12;

/**
 * The range of visible rows, for a list inside any scrolling element. All rows have the same
 * height, in pixels.
 */
function useWindow(rowHeight: number): {
  ref: RefObject<HTMLUListElement | null>;
  range: ReadonlySignal<Window>;
} {
  const ref = useRef<HTMLUListElement>(null);
  const range = useMemo(() => signal<Window>({ start: 0, end: 40 }), []);
  useEffect(() => {
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const start = Math.max(0, Math.floor(-top / rowHeight) - SPARE);
      const end = Math.max(start, Math.ceil((innerHeight - top) / rowHeight)) + SPARE;
      if (start !== range.peek().start || end !== range.peek().end) range.value = { start, end };
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    measure();
    // Captured, because the scroll event of an inner element does not bubble.
    addEventListener("scroll", later, { capture: true, passive: true });
    addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", later, { capture: true });
      removeEventListener("resize", later);
    };
  }, [rowHeight]);
  return { ref, range };
}
