import { askUntilAnswered } from "../people/ask-until-answered.js";
import type { ToldEvent } from "../feeds/told-event.js";
import type { Accepted } from "../people/ledger.js";
import type { Person } from "../people/person.js";
import type { Violations } from "./violations.js";

/** What the owner of some QueuedJobs has seen of them. */
export interface Seen {
  name: string;
  events: readonly Pick<ToldEvent, "jobId" | "version" | "status" | "type">[];
}

interface Job {
  id: string;
  status: string;
  attempts: number;
  progress: number;
  result: { attempt?: number; message?: string; variants?: unknown[] } | null;
  outputs: { name: string }[];
  error: { code: string } | null;
}

interface Page {
  queuedJobs: { nodes: Job[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

const PAGE =
  "query ($after: String) { queuedJobs(first: 100, after: $after) { nodes { id status " +
  "attempts progress result outputs { name } error { code } } pageInfo { hasNextPage " +
  "endCursor } } }";

/**
 * Every submission that was answered, as its owner finds it by the API; and every answer against
 * the events. Returns how many QueuedJobs there were.
 */
export async function checkPerson(
  person: Person,
  feed: Seen,
  { violations, purges }: { violations: Violations; purges: boolean },
): Promise<number> {
  const jobs = await readAll(person);
  const expired = new Set(
    purges ? feed.events.filter(({ type }) => type === "DELETED").map(({ jobId }) => jobId) : [],
  );
  for (const accepted of person.ledger.accepted.values()) {
    if (!expired.has(accepted.id)) checkAccepted(accepted, jobs.get(accepted.id), violations);
  }
  for (const job of jobs.values()) checkEnded(job, violations);
  checkShown(person, feed, violations);
  checkKeys(person, feed, violations);
  return new Set([...person.ledger.accepted.keys(), ...jobs.keys()]).size;
}

async function readAll({ api }: Person): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  for (let after: string | null = null, more = true; more;) {
    const { queuedJobs }: Page = await askUntilAnswered<Page>(api, {
      query: PAGE,
      variables: { after },
      deadlineMs: 30_000,
    });
    for (const job of queuedJobs.nodes) jobs.set(job.id, job);
    after = queuedJobs.pageInfo.endCursor;
    more = queuedJobs.pageInfo.hasNextPage;
  }
  return jobs;
}

function checkAccepted(
  { id, key, job, parameters, deletion }: Accepted,
  found: Job | undefined,
  violations: Violations,
): void {
  if (!found && deletion === "none")
    return violations.add("lost", `${id} (${key}) was accepted and is not there`);
  if (found && deletion === "answered")
    return violations.add("other", `${id} (${key}) was deleted and is there`);
  if (!found || found.status === "CANCELLED" || found.error?.code === "STALLED") return;
  const fails = parameters.failPermanently === true || (parameters.failAttempts ?? 0) >= 3;
  if (found.status !== (fails ? "FAILED" : "SUCCESS"))
    violations.add(
      "other",
      `${id} (${key}) ended ${found.status} (${found.error?.code}), and should not`,
    );
  if (found.status === "SUCCESS" && job === "echo" && found.result?.message !== key)
    violations.add("other", `${id} gives back ${found.result?.message} for ${key}`);
  if (found.status === "SUCCESS" && job === "thumbnail" && found.outputs.length !== 1)
    violations.add("other", `${id} has ${found.outputs.length} outputs for one width`);
}

function checkEnded({ id, status, attempts, progress, result }: Job, violations: Violations): void {
  if (status === "PENDING" || status === "STARTED") violations.add("stuck", `${id} is ${status}`);
  if (status !== "SUCCESS") return;
  if (result?.attempt !== undefined && result.attempt !== attempts)
    violations.add("other", `${id} has the result of attempt ${result.attempt} of ${attempts}`);
  if (progress !== 1) violations.add("other", `${id} is SUCCESS with progress ${progress}`);
}

/** What an answer has shown must have been told. */
function checkShown({ ledger }: Person, { name, events }: Seen, violations: Violations): void {
  const told = new Set(events.map(({ jobId, version, status }) => `${jobId} ${version} ${status}`));
  const deleted = new Set(
    events.filter(({ type }) => type === "DELETED").map(({ jobId }) => jobId),
  );
  for (const { id, version, status, by } of ledger.shown) {
    if (!told.has(`${id} ${version} ${status}`) && !deleted.has(id))
      violations.add(
        "lost",
        `${by} answered that ${id} is ${status} at version ${version}, and ${name} was not told`,
      );
  }
}

/**
 * A delete that was answered has its event; and of one key there are never two that live at once.
 */
function checkKeys({ ledger }: Person, { name, events }: Seen, violations: Violations): void {
  const deleted = new Set(
    events.filter(({ type }) => type === "DELETED").map(({ jobId }) => jobId),
  );
  const ids = new Map<string, string>();
  for (const { id, key, deletion } of ledger.accepted.values()) {
    if (deletion === "answered" && !deleted.has(id))
      violations.add("lost", `${id} was deleted, and ${name} was not told`);
    const other = ids.get(key);
    if (other !== undefined && !deleted.has(other))
      violations.add("repeated", `the key ${key} stands for ${other} and for ${id}`);
    ids.set(key, id);
  }
}
