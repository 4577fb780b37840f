// The faults of a group that can be found without the database, each with its path.
import { v7 as uuidv7 } from "uuid";
import { InvalidInputError, type InputIssue } from "../../../domain/errors.js";
import { isStorable } from "../../../domain/is-storable.js";
import { MAX_GROUP_JOBS } from "../../../domain/job-group.js";
import type { Task } from "../../../tasks/define-task.js";
import {
  checkSubmission,
  fingerprintOf,
  toNewQueuedJob,
  type Submission,
} from "../check-submission.js";
import type { NewQueuedJob } from "../insert.js";
import type { NewGroup, NewPredecessor } from "./insert-group.js";
import { createGraph, type Graph } from "./graph.js";

export interface GroupSubmission {
  name: string | null;
  idempotencyKey: string | null;
  jobs: GroupJobSubmission[];
}

/** A submission within a group; only the group has an idempotency key. */
export interface GroupJobSubmission extends Submission {
  key: string;
  photosFrom: { key: string; outputs: string[] | null }[];
  after: string[];
  runsAnyway: boolean;
}

export interface CheckedGroup {
  group: NewGroup;
  /** In the order of submission. Ids increase from predecessors to successors. */
  items: NewQueuedJob[];
}

const MAX_NAME = 200;
const MAX_KEY = 100;
const MAX_OUTPUT_NAMES = 12;
/** Pictures that a task of another repository may make, which does not count them. */
const MAX_OUTSIDE_PICTURES = 12;

/** Throws InvalidInputError with all faults. `tasks` are those of the jobs; null if unknown. */
export function checkGroup(
  submission: GroupSubmission,
  tasks: readonly (Task | null)[],
): CheckedGroup {
  const { jobs } = submission;
  if (jobs.length < 1 || jobs.length > MAX_GROUP_JOBS)
    throw InvalidInputError.at(
      ["jobs"],
      `must have 1 to ${MAX_GROUP_JOBS} entries; got ${jobs.length}`,
    );
  const issues = [...checkNames(submission), ...checkKeys(jobs)];
  const graph = createGraph(jobs);
  issues.push(...graph.issues);
  const parameters = jobs.map((job, i) => checkSubmission(job, tasks[i] ?? null).parameters);
  const pictures = jobs.map((_, i) => picturesOf(tasks[i] ?? null, parameters[i]));
  for (const [i, job] of jobs.entries()) {
    const taken = takenPictures(job, i, { graph, pictures, tasks });
    const task = tasks[i] ?? null;
    const { issues: others } = checkSubmission(job, task, taken.count);
    issues.push(...[...taken.issues, ...others].map((issue) => at(i, issue)));
  }
  if (issues.length > 0) throw new InvalidInputError(issues);
  return toCheckedGroup(submission, parameters, graph);
}

function at(i: number, { path, message }: InputIssue): InputIssue {
  return { path: ["jobs", i, ...path], message };
}

function checkNames({ name, idempotencyKey }: GroupSubmission): InputIssue[] {
  const issues: InputIssue[] = [];
  if (name !== null && !isText(name, MAX_NAME))
    issues.push({ path: ["name"], message: textRule(MAX_NAME) });
  if (idempotencyKey !== null && !isText(idempotencyKey, 200))
    issues.push({ path: ["idempotencyKey"], message: textRule(200) });
  return issues;
}

function isText(text: string, longest: number): boolean {
  return text.length >= 1 && text.length <= longest && isStorable(text);
}

function textRule(longest: number): string {
  return `must have 1 to ${longest} characters, without NUL or half a surrogate pair`;
}

function checkKeys(jobs: readonly GroupJobSubmission[]): InputIssue[] {
  const first = new Map<string, number>();
  return jobs.flatMap(({ key }, i) => {
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, i);
    if (!isText(key, MAX_KEY)) return [at(i, { path: ["key"], message: textRule(MAX_KEY) })];
    if (earlier === undefined) return [];
    return [at(i, { path: ["key"], message: `is the key of entry ${earlier} already` })];
  });
}

/** Counts the pictures that a Job makes; 0 if it makes none. */
function picturesOf(task: Task | null, parameters: unknown): number {
  if (!task) return 0;
  if (!task.countPictures) return task.folder === undefined ? 0 : MAX_OUTSIDE_PICTURES;
  const parsed = task.parameters.safeParse(parameters);
  return parsed.success ? task.countPictures(parsed.data) : 0;
}

/** Counts the pictures of other jobs; null if a source is wrong. */
function takenPictures(
  { photosFrom }: GroupJobSubmission,
  i: number,
  {
    graph,
    pictures,
    tasks,
  }: { graph: Graph; pictures: readonly number[]; tasks: readonly (Task | null)[] },
): { count: number | null; issues: InputIssue[] } {
  const issues: InputIssue[] = [];
  let [count, isKnown] = [0, true];
  for (const [k, { key, outputs }] of photosFrom.entries()) {
    const source = graph.indexOf(key);
    const task = source === undefined ? null : tasks[source];
    const path = ["photosFrom", k];
    const makesNone = task && !task.countPictures && task.folder === undefined;
    // Faults of the graph and of the source are reported elsewhere.
    isKnown &&= Boolean(task) && !makesNone && source !== i;
    if (!task || source === undefined || source === i) continue;
    if (makesNone)
      issues.push({ path: [...path, "key"], message: `"${task.name}" makes no pictures` });
    else if (outputs && (outputs.length < 1 || outputs.length > MAX_OUTPUT_NAMES))
      issues.push({
        path: [...path, "outputs"],
        message: `must have 1 to ${MAX_OUTPUT_NAMES} entries; got ${outputs.length}`,
      });
    for (const [n, name] of (outputs ?? []).entries())
      if (!isText(name, MAX_NAME))
        issues.push({ path: [...path, "outputs", n], message: textRule(MAX_NAME) });
    count += outputs ? new Set(outputs).size : (pictures[source] ?? 0);
  }
  return { count: isKnown && issues.length === 0 ? count : null, issues };
}

function toCheckedGroup(
  submission: GroupSubmission,
  parameters: Record<string, unknown>[],
  graph: Graph,
): CheckedGroup {
  const { name, idempotencyKey, jobs } = submission;
  const ids = jobs.map(() => uuidv7()).toSorted();
  const idOf = new Map(graph.order.map((index, place) => [index, ids[place] ?? ""]));
  const items = jobs.map((job, i) => {
    const predecessors = predecessorsOf(job, graph, idOf);
    const item = toNewQueuedJob(job, parameters[i] ?? {}, idOf.get(i));
    const member = {
      groupKey: job.key,
      groupPlace: i,
      waitingFor: predecessors.length,
      runsAnyway: job.runsAnyway,
      takesPhotos: job.photosFrom.length > 0,
      predecessors,
    };
    return { ...item, member };
  });
  const args = { name, jobs: jobs.map(argumentsOf) };
  const fingerprint =
    idempotencyKey === null
      ? null
      : fingerprintOf(
          args,
          jobs.map((job) => job.parameters),
          parameters,
        );
  const createdAt = items[0]?.createdAt ?? new Date().toISOString();
  const group = { id: uuidv7(), name, total: jobs.length, idempotencyKey, fingerprint, createdAt };
  return { group, items };
}

/** The arguments that a repeat with the same idempotency key must have, without parameters. */
function argumentsOf(one: GroupJobSubmission): object {
  const { key, job, photosFrom, after, runsAnyway, priority } = one;
  const photoIds = one.photoIds.map((id) => id.toLowerCase());
  const runAt = one.runAt?.toISOString() ?? null;
  return { key, job, photoIds, photosFrom, after, runsAnyway, priority, runAt };
}

/** Sources of photos come first, in the order in which their pictures are passed on. */
function predecessorsOf(
  { photosFrom, after }: GroupJobSubmission,
  graph: Graph,
  idOf: ReadonlyMap<number, string>,
): NewPredecessor[] {
  const idOfKey = (key: string) => idOf.get(graph.indexOf(key) ?? -1) ?? "";
  const sources = new Set(photosFrom.map(({ key }) => key));
  const others = [...new Set(after)].filter((key) => !sources.has(key));
  return [
    ...photosFrom.map(({ key, outputs }, position) => ({
      predecessorId: idOfKey(key),
      position,
      takesPhotos: true,
      outputs,
    })),
    ...others.map((key, i) => ({
      predecessorId: idOfKey(key),
      position: photosFrom.length + i,
      takesPhotos: false,
      outputs: null,
    })),
  ];
}
