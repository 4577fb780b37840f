import { useEffect } from "preact/hooks";
import { useWorkspace } from "../../workspace.js";
import { JobRow } from "./job-row.js";
import { useWindow } from "../use-window.js";

/** As in the style sheet. */
const ROW_PX = 68;
/** Rows before the end at which more are read, so that one seldom sees the end. */
const AHEAD = 60;

/** However many there are, only those in sight are drawn. */
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
            ? "No job is like this."
            : "Nothing submitted yet. Add a photo and press Submit: every step arrives here."}
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
          Reading…
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

/** The row may not be drawn yet: it is as soon as its place is in sight. */
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
