import { setTimeout as pause } from "node:timers/promises";
import { createApiClient } from "./people/api-client.js";
import type { Phase } from "./people/bystanders.js";
import { keepCutting, keepSleeping } from "./feeds/disturb-feed.js";
import { failOver } from "./faults/fail-over.js";
import { createFaults } from "./faults/faults.js";
import { FeedRecorder } from "./feeds/feed-recorder.js";
import { createFleet, type Fleet } from "./fleet.js";
import { attack, type HostileStatistics } from "./people/hostile-user.js";
import { injectFaults, type Injected } from "./faults/inject-faults.js";
import { followLog, type LogTail } from "./feeds/log-tail.js";
import { lookAtImages } from "./people/look-at-images.js";
import { meddle } from "./people/meddle.js";
import type { ChaosOptions } from "./read-chaos-options.js";
import { createPerson, type Person } from "./people/person.js";
import { seededRandom, type SeededRandom } from "../support/runner/seeded-random.js";
import type { Outcome } from "./checks/render-report.js";
import type { Stage } from "./stage.js";
import { meddleWithGroups, submitGroups } from "./people/submit-groups.js";
import { submitJobs } from "./people/submit-jobs.js";
import { verify } from "./checks/verify.js";
import type { Violations } from "./checks/violations.js";
import { startChaosReceiver, type ChaosReceiver } from "./webhooks/chaos-receiver.js";

const APIS = 2;
const WORKERS = 2;
const NAMES = ["ada", "ben", "cleo", "dan"];
/** A user with photos instead of jobs. */
const PHOTOGRAPHER = "eve";
/** Average number of events per job, including retries and deletions. */
const EVENTS_PER_JOB = 4;
/** The same for each group. */
const EVENTS_PER_GROUP = 14;
/** Share of the events that come from groups, if there are any. */
const GROUP_SHARE = 0.85;
/** Share of the run for each of the first two phases: quiet, and with the hostile user only. */
const PHASE_SHARE = 0.15;
const FAIL_OVER_MINUTES = 1.25;
const LONGEST_PHASE_MS = 120_000;

/** Records of a run for the checks. */
export interface Run {
  people: Person[];
  feeds: FeedRecorder[];
  /** Feeds of the photographer's photos. */
  photoFeeds: FeedRecorder[];
  /** Feeds that only faults cut; one for each person, in the same order. */
  steady: FeedRecorder[];
  faults: Injected[];
  phases: Phase[];
  hostile: HostileStatistics;
  /** Copy of the log, if the run purges rows. */
  tail: LogTail | null;
  receiver: ChaosReceiver;
  pickUrl: () => string;
}

/** Runs load, clients and faults, then the checks. The stage stays open, the fleet is closed. */
export async function runChaos(
  stage: Stage,
  options: ChaosOptions & {
    violations: Violations;
    stop: AbortSignal;
    say: (line: string) => void;
  },
): Promise<Outcome> {
  const { seed, minutes, violations, say } = options;
  const random = seededRandom(seed);
  const receiver = await startChaosReceiver(violations);
  const fleet = createFleet({
    env: { ...stage.env, ...receiver.env },
    logs: stage.logs,
    cwd: stage.folder,
    violations,
  });
  const feeds: FeedRecorder[] = [];
  try {
    await Promise.all([
      ...Array.from({ length: APIS }, () => fleet.start("api")),
      ...Array.from({ length: WORKERS }, () => fleet.start("worker")),
    ]);
    const pickUrl = createPickUrl(fleet, random.branch());
    const [people, photographer] = await createPeople(stage, pickUrl);
    const stop = stopAfter(minutes, options.stop);
    say(`the service is ready; ${minutes} minutes of chaos begin, seed ${seed}`);
    const run = await unlessCut(
      options.stop,
      disturb(stage, fleet, {
        ...options,
        people,
        photographer,
        pickUrl,
        random,
        stop,
        feeds,
        receiver,
      }),
    );
    const result = await verify(stage, run, { violations, say, stopFleet: fleet.close });
    return { seed, minutes, ...result };
  } finally {
    await Promise.all(feeds.map((feed) => feed.close()));
    await fleet.close();
    await receiver.close();
  }
}

/**
 * The timer keeps a reference to the signal. Node 20 garbage-collects the result of
 * `AbortSignal.any` over a timeout.
 */
function stopAfter(minutes: number, signal: AbortSignal): AbortSignal {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), minutes * 60_000);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    over.abort();
  });
  return over.signal;
}

/** Resolves like `work`. Rejects at the signal, without waiting for the current fault. */
async function unlessCut<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  const cut = new Promise<never>((_, reject) => {
    const abort = () => reject(new Error("The run was stopped early; nothing was checked."));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  });
  return await Promise.race([work, cut]);
}

async function createPeople(
  stage: Stage,
  pickUrl: () => string,
): Promise<[people: Person[], photographer: Person]> {
  const create = async (name: string) => {
    const token = await stage.token(name);
    return createPerson({ name, token, api: createApiClient({ pickUrl, token }) });
  };
  return [await Promise.all(NAMES.map(create)), await create(PHOTOGRAPHER)];
}

interface Disturbance {
  people: Person[];
  photographer: Person;
  pickUrl: () => string;
  random: SeededRandom;
  violations: Violations;
  stop: AbortSignal;
  minutes: number;
  say: (line: string) => void;
  feeds: FeedRecorder[];
  only: string;
  events: number;
  ttlSeconds: number | null;
  receiver: ChaosReceiver;
  pipelines: boolean;
}

/**
 * Runs everything concurrently until the time is up. Resolves when the last fault is over and every
 * submission has a response.
 */
async function disturb(stage: Stage, fleet: Fleet, options: Disturbance): Promise<Run> {
  const { people, photographer, pickUrl, random, violations, stop, minutes } = options;
  const { feeds, ttlSeconds, receiver } = options;
  const paces = pacesOf(options);
  const tail = ttlSeconds === null ? null : followLog(stage.postgres.url, ttlSeconds);
  const record = (person: Person, name: string) => recordFeed(stage, options, { person, name });
  const steady = people.map((person) => record(person, "steady"));
  const cut = people.slice(0, 2).map((person) => record(person, "cut"));
  const sleepy = people.slice(1, 3).map((person) => record(person, "sleepy"));
  const photoFeeds = ["steady", "cut"].map((name) =>
    recordFeed(stage, options, { person: photographer, name, stream: "photos" }),
  );
  const faults: Injected[] = [];
  const phases: Phase[] = [];
  const longestMs = minutes >= 3 && ttlSeconds === null ? 45_000 : 12_000;
  const [hostile] = await Promise.all([
    attackAndInject(stage, fleet, { ...options, faults, phases }),
    ...people.flatMap((person) => [
      submitJobs(person, { random: random.branch(), violations, stop, paceMs: paces.jobs }),
      meddle(person, { random: random.branch(), violations, stop, purges: ttlSeconds !== null }),
    ]),
    ...(options.pipelines ? people : []).flatMap((person) => {
      const own = { violations, stop, purges: ttlSeconds !== null };
      return [
        submitGroups(person, { ...own, random: random.branch(), paceMs: paces.groups }),
        meddleWithGroups(person, { ...own, random: random.branch() }),
      ];
    }),
    lookAtImages(photographer, { random: random.branch(), violations, stop, pickUrl }),
    ...[...cut, ...photoFeeds.slice(1)].map((feed) =>
      keepCutting(feed, { random: random.branch(), stop }),
    ),
    ...sleepy.map((feed) => keepSleeping(feed, { random: random.branch(), stop, longestMs })),
  ]);
  const ofJobs = feeds.filter((feed) => !photoFeeds.includes(feed));
  receiver.calm();
  const records = { people, feeds: ofJobs, photoFeeds, steady, faults, phases, hostile };
  return { ...records, tail, receiver, pickUrl };
}

/** Milliseconds between two submissions of a user, of single jobs and of groups. */
function pacesOf({ people, events, pipelines }: Disturbance): { jobs: number; groups: number } {
  const ofGroups = pipelines ? GROUP_SHARE * events : 0;
  const paceMs = (eventsEach: number, perSecond: number) =>
    (people.length * eventsEach * 1000) / perSecond;
  return {
    jobs: paceMs(EVENTS_PER_JOB, events - ofGroups),
    groups: paceMs(EVENTS_PER_GROUP, ofGroups),
  };
}

function recordFeed(
  stage: Stage,
  { pickUrl, random, violations, feeds }: Disturbance,
  { person, name, stream = "jobs" }: { person: Person; name: string; stream?: "jobs" | "photos" },
): FeedRecorder {
  const feed = new FeedRecorder({
    name: `${person.name}'s ${name} feed`,
    person,
    stream,
    pickUrl,
    random: random.branch(),
    violations,
    hasFailedOver: () => stage.standby !== null,
  });
  feeds.push(feed);
  return feed;
}

/** Runs the quiet phase, then the phase with the hostile user, then adds the faults. */
async function attackAndInject(
  stage: Stage,
  fleet: Fleet,
  options: Disturbance & { faults: Injected[]; phases: Phase[] },
): Promise<HostileStatistics> {
  const { pickUrl, random, violations, stop, minutes, say, only, faults, phases } = options;
  const { receiver } = options;
  const beganAt = Date.now();
  const measure = async (name: string) => {
    const from = Date.now();
    const ms = Math.min(LONGEST_PHASE_MS, minutes * 60_000 * PHASE_SHARE);
    await pause(ms, undefined, { signal: stop }).catch(() => {});
    phases.push({ name, from, to: Date.now() });
  };
  const onFault = (fault: Injected) => {
    faults.push(fault);
    say(describeFault(faults.length, fault));
  };
  await measure("undisturbed");
  say("the hostile user begins");
  const attacking = attack({ pickUrl, token: stage.token, violations, stop });
  await measure("a hostile user attacks");
  say("the faults begin");
  const kinds = createFaults({
    stage,
    fleet,
    receiver,
    random: random.branch(),
    violations,
    long: minutes >= 3,
  });
  receiver.disturb(random.branch());
  // The last fault comes early enough for the checks to cover the time after it.
  const failsOver =
    minutes >= 3 && options.ttlSeconds === null && "standby promoted".includes(only);
  const stopFaults = failsOver
    ? stopAfter(minutes - FAIL_OVER_MINUTES - (Date.now() - beganAt) / 60_000, stop)
    : stop;
  await injectFaults({
    faults: kinds.filter(({ kind }) => kind.includes(only)),
    random: random.branch(),
    violations,
    stop: stopFaults,
    onFault,
  });
  if (failsOver && !stop.aborted) {
    const promotedAt = Date.now();
    stage.standby = await failOver(stage);
    onFault({ kind: "standby promoted", beganAt: promotedAt, endedAt: Date.now() });
  }
  return attacking;
}

function describeFault(number: number, { kind, beganAt, endedAt }: Injected): string {
  return (
    `${String(number).padStart(4)}  ${new Date(beganAt).toISOString().slice(11, 19)}  ${kind}, ` +
    `${((endedAt - beganAt) / 1000).toFixed(1)} s`
  );
}

function createPickUrl(fleet: Fleet, random: SeededRandom): () => string {
  let last = "";
  // At the end of a run no API exists; requests then go to the last address and fail.
  return () => (last = random.shuffled(fleet.members("api"))[0]?.url ?? last);
}
