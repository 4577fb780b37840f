// Sizes, times, states and errors as text for people.
import type { QueuedJobStatus } from "../../client/src/index.js";
import type { JobGroup } from "../../client/src/groups/index.js";
import type { QueuedJob } from "./types.js";

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(count) / 3), units.length);
  const value = count / 1000 ** power;
  return (
    `${value < 100 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ` +
    `${units[power - 1]}`
  );
}

export const number = (value: number): string => value.toLocaleString("en");
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Local time, e.g. 10:42:07. */
export const clock = (instant: string | Date): string =>
  new Date(instant).toLocaleTimeString("en-GB");

/** Local time; before or after today, the date and time, with the year unless it is this one. */
export function moment(instant: string, now = new Date()): string {
  const date = new Date(instant);
  if (date.toDateString() === now.toDateString()) return clock(date);
  const isThisYear = date.getFullYear() === now.getFullYear();
  return date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    ...(!isThisYear && { year: "numeric" }),
  });
}

/** Date and time in full, of an instant or of a camera's clock. */
export const localTime = (time: string): string =>
  new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** How long ago an instant was, e.g. "12 s ago"; the date after a day. */
export function ago(instant: string, now = Date.now()): string {
  const ms = now - Date.parse(instant);
  if (ms < 5000) return "now";
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return moment(instant, new Date(now)).replace(/, [\d:]+$/, "");
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

export const STATUS_WORDS: Record<QueuedJobStatus, string> = {
  PENDING: "Waiting",
  STARTED: "Running",
  SUCCESS: "Done",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
};

/** One line about a job: its queue position, its progress message, its error or its duration. */
export function standing(row: Omit<QueuedJob, "photos">, { paused }: { paused: boolean }): string {
  const now = Date.now();
  const { status, error, progressMessage, startedAt, finishedAt, runAt, job, waitingFor } = row;
  if (status === "PENDING" && (paused || job.paused)) return "paused by an operator";
  if (waitingFor > 0 && status === "PENDING") return "after other jobs";
  if (status === "PENDING" && runAt && Date.parse(runAt) > now) return `starts ${moment(runAt)}`;
  if (status === "PENDING")
    return [error && `retrying after: ${error.message}`, waiting(row, now)]
      .filter(Boolean)
      .join(" · ");
  if (status === "STARTED") return progressMessage ?? "";
  if (status === "FAILED") return error?.message ?? "";
  return status === "SUCCESS" && startedAt && finishedAt
    ? `took ${duration(Date.parse(finishedAt) - Date.parse(startedAt))}`
    : "";
}

/** The jobs of a group by state, e.g. "12 of 18 done · 2 running". */
export function countsOf(group: JobGroup): string {
  const { total, pending, started, succeeded, failed, cancelled } = group;
  const others = { failed, cancelled, running: started, waiting: pending };
  return [
    `${number(succeeded)} of ${number(total)} done`,
    ...Object.entries(others)
      .filter(([, count]) => count > 0)
      .map(([word, count]) => `${number(count)} ${word}`),
  ].join(" · ");
}

function waiting(
  { queuePosition, estimatedStartAt }: Pick<QueuedJob, "queuePosition" | "estimatedStartAt">,
  now: number,
): string {
  const place =
    queuePosition === 0 ? "up next" : queuePosition !== null && `${number(queuePosition)} ahead`;
  const left = estimatedStartAt === null ? 0 : Date.parse(estimatedStartAt) - now;
  return [place, left > 500 && `about ${duration(left)}`].filter(Boolean).join(" · ");
}
