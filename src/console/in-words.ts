// Sizes, times, states and errors as text for people.
import type { QueuedJobStatus } from "../../client/src/index.js";
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

/** Local time, preceded by the date unless it is today. */
export function moment(instant: string): string {
  const date = new Date(instant);
  return date.toDateString() === new Date().toDateString()
    ? clock(date)
    : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${clock(date)}`;
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
  const { status, error, progressMessage, startedAt, finishedAt, runAt, job } = row;
  if (status === "PENDING" && (paused || job.paused)) return "paused by an operator";
  if (status === "PENDING" && runAt && Date.parse(runAt) > now) return `starts at ${moment(runAt)}`;
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

function waiting(
  { queuePosition, estimatedStartAt }: Pick<QueuedJob, "queuePosition" | "estimatedStartAt">,
  now: number,
): string {
  const place =
    queuePosition === 0
      ? "next in line"
      : queuePosition !== null && `${number(queuePosition)} ahead`;
  const left = estimatedStartAt === null ? 0 : Date.parse(estimatedStartAt) - now;
  return [place, left > 500 && `starts in about ${duration(left)}`].filter(Boolean).join(", ");
}
