import { setTimeout as pause } from "node:timers/promises";
import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import { checkBystanders, measureBystanders } from "../people/bystanders.js";
import { checkFeed } from "./check-feed.js";
import { checkCounts, checkGroups, checkNoneIsOpen } from "./check-groups.js";
import { checkFiles } from "./check-files.js";
import { checkPhotoFeed } from "./check-photo-feed.js";
import { checkPerson, type Seen } from "./check-people.js";
import { checkTables } from "./check-tables.js";
import { checkWaits } from "./check-waits.js";
import { checkWebhooks, expectedEnds, untilDelivered } from "./check-webhooks.js";
import { FeedRecorder } from "../feeds/feed-recorder.js";
import { measure } from "./statistics.js";
import { seededRandom } from "../../support/runner/seeded-random.js";
import type { LogTail } from "../feeds/log-tail.js";
import { readTables, type Tables } from "./read-tables.js";
import type { Outcome } from "./render-report.js";
import type { Run } from "../run-chaos.js";
import type { Stage } from "../stage.js";
import type { Violations } from "./violations.js";

const END_WITHIN_MS = 90_000;
const DRAIN_WITHIN_MS = 30_000;

/** Waits until all jobs have ended and all events have arrived, then compares all records. */
export async function verify(
  stage: Stage,
  run: Run,
  options: { violations: Violations; say: (line: string) => void; stopFleet: () => Promise<void> },
): Promise<Omit<Outcome, "seed" | "minutes">> {
  const { violations, say } = options;
  say("no more faults; waiting until all jobs have ended");
  await untilEnded(run);
  const databaseUrl = (stage.standby ?? stage.postgres).url;
  const tables = await readTables(databaseUrl);
  const purges = run.tail !== null;
  if (run.tail) tables.log = await readTail(run.tail, tables, violations);
  await untilDrained(run.feeds, tables.log, violations);
  if (!purges) await untilDrained(run.photoFeeds, tables.photoEvents, violations);
  // After a purge or a failover, the first cursor has expired.
  const replays = purges || stage.standby ? [] : startReplays(run, violations);
  await untilDrained(replays, tables.log, violations);
  await untilDelivered(run.receiver, expectedEnds(tables.log, run.steady), violations);
  say("all events have arrived; checking");
  await Promise.all([...run.feeds, ...run.photoFeeds, ...replays].map((feed) => feed.close()));
  const counts = await Promise.all(
    run.people.map((person, i) =>
      checkPerson(person, seen(run.steady[i] as FeedRecorder, tables), { violations, purges }),
    ),
  );
  await options.stopFleet();
  // Rows that expired since the tables were read have lost their files, and photos their events.
  if (purges) {
    tables.files = (await readTables(databaseUrl)).files;
    tables.unreported = [];
  }
  checkTables(tables, { violations, purges });
  const groups = verifyGroups(run, tables, violations);
  const logOf = ({ person }: FeedRecorder) =>
    tables.log.filter(({ userId }) => userId === person.userId);
  const { photoEvents } = tables;
  const counted = [
    ...run.feeds.map((feed) => checkFeed(feed, logOf(feed), { violations, purges, photoEvents })),
    ...run.photoFeeds.map((feed) => checkPhotoFeed(feed, tables, violations)),
  ];
  for (const replay of replays) compareWithLog(replay, logOf(replay), violations);
  const storage = await stage.files.open();
  const files = await checkFiles({ storage, databaseUrl, tables, violations });
  const statistics = measure(run);
  const bystanders = measureBystanders(run.phases, run.people, run.steady);
  checkBystanders(bystanders, violations);
  checkWaits(statistics, violations);
  return {
    accepted: counts.reduce((sum, count) => sum + count, 0),
    eventsChecked: counted.reduce((sum, count) => sum + count, 0),
    groups,
    files,
    statistics,
    webhooks: checkWebhooks(run.receiver.arrived, { interruptions: run.faults.length, violations }),
    bystanders,
    hostile: run.hostile,
    latestSeconds: run.tail?.latestSeconds ?? null,
  };
}

/** Recomputes the counts of groups, from the log and from what each user has received. */
function verifyGroups(run: Run, tables: Tables, violations: Violations): Outcome["groups"] {
  const purges = run.tail !== null;
  const accepted = run.people.map((person) => checkGroups(person, tables, { violations, purges }));
  const open = checkNoneIsOpen(tables, violations);
  const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0);
  return {
    accepted: sum(accepted),
    open,
    counted: checkCounts("the log", tables.log, { log: tables.log, violations }),
    countedInFeeds: sum(
      run.steady.map(({ name, events }) =>
        checkCounts(name, events, { log: tables.log, violations }),
      ),
    ),
  };
}

function startReplays({ people, pickUrl }: Run, violations: Violations): FeedRecorder[] {
  return people.map(
    (person) =>
      new FeedRecorder({
        name: `${person.name}'s replay`,
        person,
        pickUrl,
        random: seededRandom(0),
        violations,
        stream: "jobsWithoutProgress",
      }),
  );
}

/** Events of a client, plus those covered by the page it read when it could not resume. */
function seen({ name, person, events, gaps }: FeedRecorder, { log }: Tables): Seen {
  const seqOf = (cursor: string) => decodeStreamCursor(cursor, person.userId).seq;
  const paged = gaps.flatMap(({ from, to }) =>
    log.filter(
      ({ userId, seq }) => userId === person.userId && seq > seqOf(from) && seq <= seqOf(to),
    ),
  );
  return { name, events: [...events, ...paged] };
}

/** Maximum lateness of clean-up: its own limit, doubled because faults delay it. */
const MAX_LATENESS_SECONDS = 120;

/** All events that were ever logged, for the comparison with the received ones. */
async function readTail(
  tail: LogTail,
  { streams }: Tables,
  violations: Violations,
): Promise<Tables["log"]> {
  const last = new Map(streams.map(({ userId, lastSeq }) => [userId, lastSeq]));
  const log = await tail.close();
  if (tail.latestSeconds > MAX_LATENESS_SECONDS)
    violations.add("stuck", `an expired row existed for ${tail.latestSeconds.toFixed(0)} s`);
  return log.filter(({ userId, seq }) => seq <= (last.get(userId) ?? 0));
}

const UNFINISHED = "{ queuedJobs(filter: { status: [PENDING, STARTED] }) { totalCount } }";

/** Waits through the public API. The checks find what is still unfinished at the deadline. */
async function untilEnded({ people }: Run): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const answers = await Promise.all(
      people.map(({ api }) => api.ask<{ queuedJobs: { totalCount: number } }>(UNFINISHED)),
    );
    return answers.every(
      (answer) => answer.kind === "data" && answer.data.queuedJobs.totalCount === 0,
    );
  };
  for (const deadline = Date.now() + END_WITHIN_MS; Date.now() < deadline && !(await isDone());)
    await pause(300);
}

async function untilDrained(
  feeds: FeedRecorder[],
  log: Tables["log"] | Tables["photoEvents"],
  violations: Violations,
): Promise<void> {
  const target = new Map(log.map(({ userId, seq }) => [userId, seq]));
  const positionOf = ({ person, events }: FeedRecorder) =>
    decodeStreamCursor(events.at(-1)?.cursor ?? person.firstCursor, person.userId).seq;
  const behind = () =>
    feeds.filter((feed) => positionOf(feed) < (target.get(feed.person.userId) ?? 0));
  for (const deadline = Date.now() + DRAIN_WITHIN_MS; Date.now() < deadline && behind().length > 0;)
    await pause(100);
  for (const feed of behind())
    violations.add(
      "lost",
      `${feed.name} has reached event ${positionOf(feed)} of ${target.get(feed.person.userId)}`,
    );
}

/** A replay from the first cursor must equal the log. */
function compareWithLog(
  { name, person, events }: FeedRecorder,
  log: Tables["log"],
  violations: Violations,
): void {
  const replayed = events.map(
    ({ cursor, type, jobId, version, status }) =>
      `${decodeStreamCursor(cursor, person.userId).seq} ${type} ${jobId} ${version} ${status}`,
  );
  const logged = log.map(
    ({ seq, type, jobId, version, status }) => `${seq} ${type} ${jobId} ${version} ${status}`,
  );
  const i = logged.findIndex((line, k) => line !== replayed[k]);
  if (i >= 0 || replayed.length !== logged.length)
    violations.add(
      "other",
      `${name} has ${replayed.length} events and the log ${logged.length}; the first ` +
        `difference: ${logged[i] ?? "the end"} in the log, ${replayed[i] ?? "nothing"} replayed`,
    );
}
