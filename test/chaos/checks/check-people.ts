import { askUntilAnswered } from "../people/ask-until-answered.js";
import type { ReceivedEvent } from "../feeds/received-event.js";
import type { Accepted } from "../people/ledger.js";
import type { Person } from "../people/person.js";
import type { Violations } from "./violations.js";

/** Events that the owner of some QueuedJobs has seen. */
export interface Seen {
  name: string;
  events: readonly Pick<ReceivedEvent, "jobId" | "version" | "status" | "type">[];
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
 * Compares every accepted submission with the API, and every response with the events. Returns the
 * number of QueuedJobs.
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
  row: Job | undefined,
  violations: Violations,
): void {
  if (!row && deletion === "none")
    return violations.add("lost", `${id} (${key}) was accepted, but does not exist`);
  if (row && deletion === "answered")
    return violations.add("other", `${id} (${key}) was deleted, but still exists`);
  if (!row || row.status === "CANCELLED" || row.error?.code === "STALLED") return;
  const fails = parameters.failPermanently === true || (parameters.failAttempts ?? 0) >= 3;
  if (row.status !== (fails ? "FAILED" : "SUCCESS"))
    violations.add("other", `${id} (${key}) ended as ${row.status} (${row.error?.code})`);
  if (row.status === "SUCCESS" && job === "echo" && row.result?.message !== key)
    violations.add("other", `${id} returned ${row.result?.message} for ${key}`);
  if (row.status === "SUCCESS" && job === "thumbnail" && row.outputs.length !== 1)
    violations.add("other", `${id} has ${row.outputs.length} outputs for one width`);
}

function checkEnded({ id, status, attempts, progress, result }: Job, violations: Violations): void {
  if (status === "PENDING" || status === "STARTED") violations.add("stuck", `${id} is ${status}`);
  if (status !== "SUCCESS") return;
  if (result?.attempt !== undefined && result.attempt !== attempts)
    violations.add("other", `${id} has the result of attempt ${result.attempt} of ${attempts}`);
  if (progress !== 1) violations.add("other", `${id} is SUCCESS with progress ${progress}`);
}

/** Every version that a response has shown must also have arrived as an event. */
function checkShown({ ledger }: Person, { name, events }: Seen, violations: Violations): void {
  const received = new Set(
    events.map(({ jobId, version, status }) => `${jobId} ${version} ${status}`),
  );
  const deleted = new Set(
    events.filter(({ type }) => type === "DELETED").map(({ jobId }) => jobId),
  );
  for (const { id, version, status, by } of ledger.shown) {
    if (!received.has(`${id} ${version} ${status}`) && !deleted.has(id))
      violations.add(
        "lost",
        `${by} returned ${id} as ${status} at version ${version}, but ${name} got no event`,
      );
  }
}

/** Every confirmed deletion has its event, and no two existing QueuedJobs have the same key. */
function checkKeys({ ledger }: Person, { name, events }: Seen, violations: Violations): void {
  const deleted = new Set(
    events.filter(({ type }) => type === "DELETED").map(({ jobId }) => jobId),
  );
  const ids = new Map<string, string>();
  for (const { id, key, deletion } of ledger.accepted.values()) {
    if (deletion === "answered" && !deleted.has(id))
      violations.add("lost", `${id} was deleted, but ${name} got no event`);
    const other = ids.get(key);
    if (other !== undefined && !deleted.has(other))
      violations.add("repeated", `the key ${key} made both ${other} and ${id}`);
    ids.set(key, id);
  }
}
