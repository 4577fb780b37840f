// Many clients of a few users, in real pages and in this process, while connections are cut and API
// processes are killed.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { PhotoService } from "../../../../client/src/index.js";
import { REDIS_PREFIX } from "../../../../src/app/create-core.js";
import { freePort } from "../../../../src/embedded/ports.js";
import { startApiProcess } from "../../../stories/api-process.js";
import { NOT_ALL } from "../../../support/clients/browser.js";
import { launchChromium } from "../../../support/clients/chromium.js";
import { eventually } from "../../../support/runner/eventually.js";
import { seededRandom } from "../../../support/runner/seeded-random.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { createTcpProxy } from "../../../support/stores/tcp-proxy.js";
import { testRedis } from "../../../support/stores/test-redis.js";
import { clientOf } from "../../client-of.js";
import { NOTING_PAGE, servePage } from "./page.js";

/** Content of the list and the hooks of one client. */
interface Note {
  /** Since when it has its connection; 0 while it has none. */
  liveSince: number;
  /** Number of connections that were lost. */
  losses: number;
  /** Id and type of each event. */
  events: [id: string, type: string][];
  /** Last state of each row, by id. */
  rows: Record<string, State>;
  /** States that `useJob` has rendered, by id. */
  jobs: Record<string, State[]>;
}
type State = [version: number, status: string];

const USERS = Array.from({ length: 4 }, (_, i) => i);
/** Each group has an API process, a page with the hooks of every user, and lists beside it. */
const GROUPS = 3;
const LISTS_PER_USER = 11;
/** STORM_KILLS=10 loses more than 1,000 connections, which takes minutes. */
const KILLS = Number(process.env["STORM_KILLS"] ?? 4);
const MIN_LOSSES = 50 * KILLS;
/** Each time one user submits these. */
const JOBS = 8;
/** Before the API is killed, each end of each connection is cut with this chance, so many times. */
const CUT_CHANCE = 0.3;
const CUTS = 3;
/** A client that loses its connections more often waits longer each time. */
const STEADY_MS = 5000;
const MOST = 0.9;

interface Group {
  notes(): Promise<{ user: number; note: Note }[]>;
  /** Resolves when the next loss of a connection brings most lists back at once. */
  steady(): Promise<unknown>;
  /** A client of a user. */
  person(user: number): PhotoService;
  /** Cuts connections; resolves when most lists have theirs again. */
  cut(isCut: () => boolean): Promise<void>;
  /** Resolves when the next process of this API is live. */
  killApi(): Promise<void>;
}

interface Scene {
  service: TestService;
  browser: Browser;
  /** Address of the page. */
  origin: string;
  tokens: string[];
  closings: (() => unknown)[];
}

async function startScene(t: TestContext): Promise<Scene> {
  const closings: (() => unknown)[] = [];
  t.after(async () => {
    for (const close of closings.toReversed()) await close();
  });
  const port = await freePort();
  const service = await startTestService({
    redisPrefix: REDIS_PREFIX,
    env: {
      REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/6" }).href,
      ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
    },
  });
  closings.push(() => service.close());
  const bundle = await servePage(port, NOTING_PAGE);
  closings.push(() => bundle.close());
  const browser = await launchChromium();
  closings.push(() => browser.close());
  const tokens = await Promise.all(USERS.map((i) => service.token({ sub: `user ${i}` })));
  return { service, browser, origin: bundle.origin, tokens, closings };
}

async function startGroup({ service, browser, origin, tokens, closings }: Scene): Promise<Group> {
  const port = await freePort();
  let api = await startApiProcess(service.env, port);
  closings.push(() => api.stop());
  const proxy = await createTcpProxy(api.url);
  closings.push(() => proxy.close());
  const url = new URL(proxy.url).origin;
  const lists = USERS.flatMap((user) =>
    Array.from({ length: LISTS_PER_USER }, () => {
      const { client } = clientOf({ url, token: tokens[user] ?? "" });
      closings.push(() => client.close());
      return { user, client, note: noteList(client) };
    }),
  );
  const most = (what: string, isTrue: (note: Note) => boolean) =>
    eventually(
      what,
      () => lists.filter(({ note }) => isTrue(note)).length >= MOST * lists.length,
      60_000,
    );
  const page = await browser.newPage();
  await page.goto(`${origin}/#${encodeURIComponent(JSON.stringify([url, tokens]))}`);
  return {
    person: (user) => lists.find((one) => one.user === user)?.client ?? assert.fail(),
    notes: async () => [...lists, ...(await notesIn(page)).map((note, user) => ({ user, note }))],
    steady: () => most("most lists are steady", isSteady),
    async cut(isCut) {
      const before = lossesOf(lists);
      proxy.cut(isCut);
      await eventually("connections are lost", () => lossesOf(lists) > before);
      await most("most lists are live again", ({ liveSince }) => liveSince > 0);
    },
    async killApi() {
      api.stop();
      api = await startApiProcess(service.env, port);
    },
  };
}

const notesIn = (page: Page): Promise<Note[]> => page.evaluate<Note[]>("window.notes");

/** Notes what a live list shows, until its client is closed. */
function noteList(client: PhotoService): Note {
  const note: Note = { liveSince: 0, losses: 0, events: [], rows: {}, jobs: {} };
  const list = client.jobs({
    onEvent: ({ type, queuedJob }) => void note.events.push([queuedJob.id, type]),
  });
  list.subscribe(() => {
    const { isLive, jobs } = list.getSnapshot();
    if (isLive) note.liveSince ||= Date.now();
    else if (note.liveSince) Object.assign(note, { liveSince: 0, losses: note.losses + 1 });
    for (const { id, version, status } of jobs) note.rows[id] = [version, status];
  });
  return note;
}

const lossesOf = (all: { note: Note }[]): number =>
  all.reduce((sum, { note }) => sum + note.losses, 0);

/** True if the loss of its connection brings the client back at once. */
const isSteady = ({ liveSince, losses }: Note): boolean =>
  liveSince > 0 && (losses === 0 || Date.now() - liveSince > STEADY_MS);

/** Number of jobs that a user submits. */
const jobsOf = (user: number): number => JOBS * Math.ceil((KILLS - user) / USERS.length);

/** True if the client shows the end of all jobs of its user. */
const isComplete = ({ user, note }: { user: number; note: Note }): boolean =>
  note.events.filter(([, type]) => type === "SUCCEEDED").length >= jobsOf(user) &&
  Object.values(note.jobs).every((shown) => shown.at(-1)?.[1] === "SUCCESS");

/** Compares everything that was shown to a user with the database. */
async function compare({ service }: Scene, user: number, notes: Note[]): Promise<void> {
  const { sql } = service.database;
  const subject = `user ${user}`;
  const log = await sql<{ id: string; type: string }[]>`
    select queued_job_id as id, type from queued_job_events
    where user_id = (select id from users where subject = ${subject}) order by seq`;
  const rows = await sql<{ id: string; version: number; status: string }[]>`
    select id, version, status from queued_jobs
    where user_id = (select id from users where subject = ${subject})`;
  const states = Object.fromEntries(rows.map(({ id, version, status }) => [id, [version, status]]));
  assert.equal(rows.length, jobsOf(user));
  for (const note of notes) {
    assert.deepEqual(
      note.events.filter(([, type]) => type !== "PROGRESS"),
      log.map(({ id, type }) => [id, type]),
    );
    assert.deepEqual(note.rows, states);
    for (const [id, shown] of Object.entries(note.jobs)) {
      const versions = shown.map(([version]) => version);
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
      );
      assert.deepEqual(shown.at(-1), states[id]);
    }
  }
}

describe("the hooks and lists of many clients", () => {
  it(
    "show each logged event once and in order, over hundreds of lost connections and killed APIs",
    { skip: NOT_ALL, timeout: 300_000 },
    async (t) => {
      const random = seededRandom();
      t.diagnostic(`seed ${random.seed}`);
      const scene = await startScene(t);
      const groups = await Promise.all(Array.from({ length: GROUPS }, () => startGroup(scene)));
      const all = async () => (await Promise.all(groups.map((group) => group.notes()))).flat();
      const areLive = async () => (await all()).every(({ note }) => note.liveSince > 0);
      await eventually("every client is live", areLive, 60_000);
      for (let i = 0; i < KILLS; i++) {
        const group = groups[i % GROUPS] ?? assert.fail();
        await group.steady();
        const person = random.pick(groups).person(i % USERS.length);
        const submitted = Array.from({ length: JOBS }, () =>
          person.run("echo", { durationMs: random.below(1500) }),
        );
        for (let k = 0; k < CUTS; k++) await group.cut(() => random.chance(CUT_CHANCE));
        await group.killApi();
        await Promise.all(submitted);
      }
      const areComplete = async () => (await all()).every(isComplete);
      await eventually("every client has shown the end of each job", areComplete, 60_000);
      const notes = await all();
      for (const user of USERS)
        await compare(
          scene,
          user,
          notes.filter((one) => one.user === user).map(({ note }) => note),
        );
      const losses = lossesOf(notes);
      t.diagnostic(`${losses} connections were lost by ${notes.length} clients`);
      assert.ok(losses >= MIN_LOSSES, `${losses} connections were lost`);
      const hooks = notes.filter(({ note }) => Object.keys(note.jobs).length > 0);
      assert.equal(hooks.length, USERS.length * GROUPS);
    },
  );
});
