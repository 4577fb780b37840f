import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ANY_JOB, type JobSearch } from "../../address/address.js";
import { part, router } from "../../address/router.js";
import { findJobs, foldGroups } from "../../jobs/find-jobs.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "../frame/compose.js";
import { Icon } from "../frame/icons.js";
import { closeGroup } from "./group-head.js";
import { JobRow } from "./job-row.js";

/** Height of a row; equals `--row` in jobs.css. */
const ROW_PX = 64;
/** Rows before the end at which the next page is read, so that users seldom wait for it. */
const AHEAD = 60;

const search = part(({ jobs }) => jobs);

/**
 * The list of jobs, in which a group is one row, or the jobs of the open group. Only the visible
 * rows are drawn.
 */
export function JobRows({ chosen }: { chosen: Signal<ReadonlySet<string>> }) {
  const { list, openJob, openGroup } = useWorkspace();
  const { ref, range } = useWindow(ROW_PX);
  const group = openGroup.id.value;
  const source = group === null ? list : openGroup;
  const all = source.ids.value;
  const found = findJobs(list, all, search.value.text);
  const isFolded = group === null && !isFiltered(search.value);
  const ids = useMemo(() => (isFolded ? foldGroups(list, found) : found), [found, isFolded]);
  const { start, end } = range.value;
  const openId = openJob.id.value ?? "";
  const opened = ids.indexOf(openId);
  const tabStop = opened < 0 ? ids[start] : openId;
  // A row that is a group may take several pages.
  const isNearEnd = end + (ids.length < all.length ? 0 : AHEAD) >= ids.length;
  useEffect(() => {
    if (group === null && isNearEnd && all.length > 0) void list.readMore().catch(() => {});
  }, [isNearEnd, all.length]);
  // A link may lead to a row that is out of sight.
  useEffect(() => {
    if (opened >= 0) bringIntoView(ref.current, opened);
  }, [openId, opened >= 0]);
  const move = useArrowKeys(ref, ids);
  const choose = useChoosing(chosen, ids);
  return (
    <div class="job-rows">
      {ids.length === 0 && !source.isReading.value && <Empty />}
      <ul
        ref={ref}
        style={{ height: `${ids.length * ROW_PX}px` }}
        onKeyDown={move}
        aria-label={group === null ? "Jobs, newest first" : "Jobs of the group"}
        hidden={ids.length === 0}
      >
        {ids.slice(start, end).map((id, i) => (
          <JobRow
            key={id}
            id={id}
            index={start + i}
            count={ids.length}
            top={(start + i) * ROW_PX}
            isChosen={chosen.value.has(id)}
            isTabStop={id === tabStop}
            onChoose={() => choose(id)}
          />
        ))}
      </ul>
      {source.isReading.value && (
        <p class="faint" aria-busy="true">
          Loading…
        </p>
      )}
    </div>
  );
}

const isFiltered = ({ status, job, text }: JobSearch): boolean =>
  status.length > 0 || job !== "" || text !== "";

function Empty() {
  const { openGroup } = useWorkspace();
  if (openGroup.isGone.value)
    return (
      <div class="empty">
        <Icon name="trash" size={40} />
        <h2>This group was deleted.</h2>
        <button type="button" onClick={closeGroup}>
          All jobs
        </button>
      </div>
    );
  if (isFiltered(search.value))
    return (
      <div class="empty">
        <Icon name="filter" size={40} />
        <h2>No jobs match these filters.</h2>
        <button type="button" onClick={() => router.go({ jobs: ANY_JOB })}>
          Clear filters
        </button>
      </div>
    );
  return (
    <div class="empty">
      <Icon name="jobs" size={40} />
      <h2>No jobs yet</h2>
      <p>Select photos and run a job on them: its progress shows here live.</p>
      <p class="buttons">
        <a class="button primary" {...router.link({ view: "photos" })}>
          Choose photos
        </a>
        <button type="button" onClick={compose}>
          New job without a photo
        </button>
      </p>
    </div>
  );
}

/** Selects a job; with Shift held, all from the one before. */
function useChoosing(chosen: Signal<ReadonlySet<string>>, ids: readonly string[]) {
  const last = useRef<string | null>(null);
  const isShift = useRef(false);
  useEffect(() => {
    const note = (event: KeyboardEvent | MouseEvent): void => {
      isShift.current = event.shiftKey;
    };
    addEventListener("click", note, true);
    addEventListener("keydown", note, true);
    return () => {
      removeEventListener("click", note, true);
      removeEventListener("keydown", note, true);
    };
  }, []);
  return (id: string): void => {
    const next = new Set(chosen.value);
    const isOn = !next.has(id);
    const [a, b] = [ids.indexOf(last.current ?? id), ids.indexOf(id)];
    const span = isShift.current && a >= 0 ? ids.slice(Math.min(a, b), Math.max(a, b) + 1) : [id];
    for (const one of span) {
      if (isOn) next.add(one);
      else next.delete(one);
    }
    last.current = id;
    chosen.value = next;
  };
}

function useArrowKeys(ref: RefObject<HTMLElement | null>, ids: readonly string[]) {
  const { list, openJob } = useWorkspace();
  return (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "ArrowRight")
      document.querySelector<HTMLElement>(".details [role=tab][tabindex='0']")?.focus();
    if (step === undefined) return;
    event.preventDefault();
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    const index = ids.indexOf(row?.dataset["id"] ?? "") + step;
    const next = Math.min(Math.max(0, index), ids.length - 1);
    const id = ids[next] ?? "";
    const job = id === "" || list.groups.get(id) ? null : id;
    router.go({ job }, { replace: openJob.id.value !== null });
    reveal(ref.current, next, id);
  };
}

/** Scrolls to the row first, because only visible rows are drawn and can take the focus. */
function reveal(box: HTMLElement | null, index: number, id: string | undefined): void {
  const focus = (): void => box?.querySelector<HTMLElement>(`[data-id="${id}"] .open`)?.focus();
  bringIntoView(box, index);
  requestAnimationFrame(() => requestAnimationFrame(focus));
}

function bringIntoView(box: HTMLElement | null, index: number): void {
  const scroller = box?.closest(".job-rows");
  if (scroller && scroller.scrollHeight > scroller.clientHeight) {
    const [top, bottom] = [index * ROW_PX, (index + 1) * ROW_PX];
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = bottom - scroller.clientHeight;
  }
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
