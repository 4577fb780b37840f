import { createHash } from "node:crypto";
import stableStringify from "safe-stable-stringify";
import { v7 as uuidv7 } from "uuid";
import type { z } from "zod";
import type { InputIssue } from "../../domain/errors.js";
import { isStorable } from "../../domain/is-storable.js";
import type { Task } from "../../tasks/define-task.js";
import { isUuid } from "../reads/ids.js";
import type { NewQueuedJob } from "./insert.js";

/** A submission as received: only its types have been checked. */
export interface Submission {
  job: string;
  parameters: Record<string, unknown>;
  /** Field of JobInput that was used instead of `job` and `parameters`. */
  run?: string;
  photoIds: string[];
  priority: number;
  runAt: Date | null;
  idempotencyKey: string | null;
  /** Requests new work even if an earlier result could be reused. */
  fresh: boolean;
}

const MAX_PARAMETER_BYTES = 64 * 1024;
const MAX_JSON_DEPTH = 32;
const YEAR_MS = 366 * 24 * 3600 * 1000;
/** PostgreSQL writes earlier times in another format. */
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");

/**
 * Checks everything that needs no database, and reports all faults at once. Paths start inside the
 * submission. `task` is null when no Job of that name can be submitted. `pictures` is the number of
 * further photos, which other QueuedJobs make; null if unknown.
 */
export function checkSubmission(
  submission: Submission,
  task: Task | null,
  pictures: number | null = 0,
): { issues: InputIssue[]; parameters: Record<string, unknown> } {
  const { job, run, photoIds, priority, runAt, idempotencyKey } = submission;
  const issues: InputIssue[] = [];
  const fault = (path: (string | number)[], message: string) => issues.push({ path, message });
  const path = run === undefined ? ["parameters"] : ["run", run];
  const parameters = task ? checkParameters(submission.parameters, task, path, issues) : {};
  if (!task)
    fault(
      run === undefined ? ["job"] : path,
      `there is no Job "${job.slice(0, 100)}" to submit; the query jobs lists them`,
    );
  if (task) checkPhotos({ photoIds, pictures }, task, issues);
  if (priority < 0 || priority > 100) fault(["priority"], "must be 0 to 100");
  if (runAt && runAt.getTime() < FIRST_MS) fault(["runAt"], "must not be before the year 1");
  if (runAt && runAt.getTime() > Date.now() + YEAR_MS)
    fault(["runAt"], "must be within a year from now");
  if (idempotencyKey !== null && (idempotencyKey.length < 1 || idempotencyKey.length > 200))
    fault(["idempotencyKey"], "must have 1 to 200 characters");
  if (idempotencyKey !== null && !isStorable(idempotencyKey))
    fault(["idempotencyKey"], "must not contain NUL or half a surrogate pair");
  return { issues, parameters };
}

/**
 * Returns the row of a valid submission. Ids increase with time, so that sorting by id sorts by
 * creation.
 */
export function toNewQueuedJob(
  submission: Submission,
  parameters: Record<string, unknown>,
  id: string = uuidv7(),
): NewQueuedJob {
  const { job, priority, idempotencyKey, fresh } = submission;
  const photoIds = submission.photoIds.map((photoId) => photoId.toLowerCase());
  const runAt = submission.runAt?.toISOString() ?? null;
  const args = { job, photoIds, priority, runAt };
  const fingerprint =
    idempotencyKey === null ? null : fingerprintOf(args, submission.parameters, parameters);
  return {
    id,
    jobName: job,
    parameters,
    photoIds,
    priority,
    runAt,
    idempotencyKey,
    fingerprint,
    fresh,
    createdAt: new Date(createdMs(id)).toISOString(),
  };
}

/**
 * Hashes the arguments with the parameters as received, which stay the same when a release adds
 * defaults. If the validated parameters differ, their hash is appended. Rows of earlier releases
 * have only the second hash.
 */
export function fingerprintOf(args: object, received: unknown, validated: unknown): string {
  const hashes = [received, validated].map((parameters) => hashOf({ ...args, parameters }));
  return [...new Set(hashes)].join(" ");
}

/** Compares two fingerprints: one common hash means the same arguments. */
export function sameArguments(one: string, other: string): boolean {
  const hashes = one.split(" ");
  return other.split(" ").some((hash) => hashes.includes(hash));
}

function hashOf(args: unknown): string {
  return createHash("sha256")
    .update(stableStringify(args) ?? "")
    .digest("hex");
}

/** The first 48 bits of a UUIDv7 are milliseconds since 1970 (RFC 9562, 5.7). */
function createdMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function checkParameters(
  parameters: Record<string, unknown>,
  task: Task,
  path: string[],
  issues: InputIssue[],
): Record<string, unknown> {
  // The depth is checked first, because the checks below are recursive.
  if (jsonDepth(parameters) > MAX_JSON_DEPTH)
    issues.push({ path, message: `must be at most ${MAX_JSON_DEPTH} levels deep` });
  else if (Buffer.byteLength(JSON.stringify(parameters)) > MAX_PARAMETER_BYTES)
    issues.push({ path, message: `must be at most ${MAX_PARAMETER_BYTES} bytes of JSON` });
  else if (!isStorable(parameters))
    issues.push({ path, message: "must not contain NUL or half a surrogate pair" });
  else {
    const parsed = task.parameters.safeParse(parameters, { error: faultInWords });
    if (parsed.success) return parsed.data as Record<string, unknown>;
    issues.push(...parsed.error.issues.flatMap((issue) => toIssues(issue, path)));
  }
  return {};
}

function toIssues(issue: z.core.$ZodIssue, start: string[]): InputIssue[] {
  const path = [
    ...start,
    ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step)),
  ];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: "is not a parameter of this Job",
    }));
  return [{ path, message: issue.message }];
}

function checkPhotos(
  { photoIds, pictures }: { photoIds: string[]; pictures: number | null },
  task: Task,
  issues: InputIssue[],
): void {
  const { minPhotos, maxPhotos } = task;
  const count = photoIds.length + (pictures ?? 0);
  if (pictures !== null && (count < minPhotos || count > maxPhotos)) {
    const wanted = minPhotos === maxPhotos ? `${minPhotos}` : `${minPhotos} to ${maxPhotos}`;
    issues.push({
      path: [pictures > 0 && photoIds.length <= maxPhotos ? "photosFrom" : "photoIds"],
      message:
        maxPhotos === 0
          ? `"${task.name}" takes no photos`
          : `"${task.name}" takes ${wanted} photo${maxPhotos === 1 ? "" : "s"}, but ` +
            (pictures > 0 ? `there are ${count}` : `the list has ${count}`),
    });
  }
  // Ids beyond the maximum are not checked: the length of the list is already a fault.
  for (const [i, id] of photoIds.slice(0, maxPhotos).entries())
    if (!isUuid(id)) issues.push({ path: ["photoIds", i], message: "is not an id: ids are UUIDs" });
}

/** Counts levels of nesting, but stops one level above the maximum. */
function jsonDepth(value: unknown, level = 0): number {
  if (typeof value !== "object" || value === null || level > MAX_JSON_DEPTH) return level;
  return Object.values(value).reduce<number>(
    (deepest, entry) => Math.max(deepest, jsonDepth(entry, level + 1)),
    level + 1,
  );
}

const KINDS: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};
/** The units of sizes; a number has none. */
const UNITS: Record<string, [one: string, many: string]> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
};

/**
 * Describes the fault of a parameter as the end of a sentence that starts with its name. It is used
 * for rules without their own message.
 */
export function faultInWords(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "is required";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")}`;
    case "too_small":
      return size(issue.origin, Number(issue.minimum), "or more");
    case "too_big":
      return size(issue.origin, Number(issue.maximum), "or less");
    default:
      return "does not match the Job's parameterSchema";
  }
}

function size(origin: string, limit: number, bound: string): string {
  const unit = UNITS[origin];
  return unit
    ? `must have ${limit} ${unit[limit === 1 ? 0 : 1]} ${bound}`
    : `must be ${limit} ${bound}`;
}
