import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "../../support/runner/seeded-random.js";
import type { Violations } from "../checks/violations.js";
import type { Answer } from "./api-client.js";
import { askUntilAnswered } from "./ask-until-answered.js";
import type { AcceptedGroup } from "./ledger.js";
import { makeGroup } from "./make-group.js";
import type { Person } from "./person.js";

const ENQUEUE =
  "mutation ($input: EnqueueGroupInput!) { answer: enqueueGroup(input: $input) { id " +
  "queuedJobs(first: 100) { nodes { id } } } }";
const MUTATIONS = {
  cancelGroup: "mutation ($id: ID!) { answer: cancelGroup(id: $id) { id } }",
  retryGroup: "mutation ($id: ID!) { answer: retryGroup(id: $id) { id } }",
  deleteGroup: "mutation ($id: ID!) { answer: deleteGroup(id: $id) }",
  cancelQueuedJob: "mutation ($id: ID!) { answer: cancelQueuedJob(id: $id) { id } }",
  retryQueuedJob: "mutation ($id: ID!) { answer: retryQueuedJob(id: $id) { id } }",
} as const;
type Verb = keyof typeof MUTATIONS;
const VERBS: readonly Verb[] = [
  "cancelGroup",
  "retryGroup",
  "retryGroup",
  "deleteGroup",
  "cancelQueuedJob",
  "retryQueuedJob",
];

/** Longer than any fault. */
const ANSWER_WITHIN_MS = 60_000;
/** A repeated submission may hang in a frozen process, and would create a deleted group again. */
const SETTLED_MS = 15_000;
const RECENT = 30;

interface Submitted {
  id: string;
  queuedJobs: { nodes: { id: string }[] };
}

interface Options {
  random: SeededRandom;
  violations: Violations;
  stop: AbortSignal;
  purges: boolean;
}

/** Submits groups until the signal, and repeats each submission until it gets a response. */
export async function submitGroups(
  { name, api, photoId, ledger }: Person,
  { random, violations, stop, paceMs }: Options & { paceMs: number },
): Promise<void> {
  for (let n = 1; !stop.aborted; n++) {
    const jobs = makeGroup(random, photoId);
    const idempotencyKey = `${name}-group-${n}`;
    const request = {
      query: ENQUEUE,
      variables: { input: { name: idempotencyKey, idempotencyKey, jobs } },
      deadlineMs: ANSWER_WITHIN_MS,
      onRepeat: () => ledger.repeats++,
    };
    try {
      const { answer } = await askUntilAnswered<{ answer: Submitted }>(api, request);
      const members = answer.queuedJobs.nodes.map(({ id }) => id);
      const acceptedAt = Date.now();
      const group = { id: answer.id, jobs, members, acceptedAt, touched: false, deletion: "none" };
      ledger.groups.set(answer.id, group as AcceptedGroup);
      if (random.chance(0.05)) {
        const again = await askUntilAnswered<{ answer: Submitted }>(api, request);
        if (again.answer.id !== answer.id)
          violations.add(
            "repeated",
            `the key ${idempotencyKey} gave the groups ${answer.id} and ${again.answer.id}`,
          );
      }
    } catch (error) {
      violations.add("other", `the group ${idempotencyKey} was refused: ${String(error)}`);
    }
    await pause(random.int(Math.round(paceMs / 4), Math.round(paceMs * 1.75)));
  }
}

/** Cancels, retries and deletes groups and their jobs at random, in any state. */
export async function meddleWithGroups(person: Person, options: Options): Promise<void> {
  const { random, stop } = options;
  while (!stop.aborted) {
    await pause(random.int(50, 400));
    const all = [...person.ledger.groups.values()];
    if (all.length === 0) continue;
    const group = random.chance(0.7) ? random.pick(all.slice(-RECENT)) : random.pick(all);
    const verb = random.pick(VERBS);
    const isDeletion = verb === "deleteGroup";
    if (isDeletion && Date.now() - group.acceptedAt < SETTLED_MS) continue;
    if (isDeletion && group.deletion === "none") group.deletion = "asked";
    group.touched = true;
    const id = verb.endsWith("Group") ? group.id : random.pick(group.members);
    const answer = await person.api.ask<{ answer: unknown }>(MUTATIONS[verb], { id });
    judge(person, { group, verb, answer }, options);
  }
}

function judge(
  { ledger }: Person,
  {
    group,
    verb,
    answer,
  }: { group: AcceptedGroup; verb: Verb; answer: Answer<{ answer: unknown }> },
  { violations, purges }: Options,
): void {
  if (answer.kind === "unknown") return void ledger.repeats++;
  if (answer.kind === "data") {
    if (verb === "deleteGroup") group.deletion = "answered";
    return;
  }
  const { code, message } = answer;
  const isGone = purges || group.deletion !== "none";
  if (code !== "CONFLICT" && !(code === "NOT_FOUND" && isGone))
    violations.add("other", `${verb} of the group ${group.id} got ${code}: ${message}`);
}
