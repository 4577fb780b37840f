import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { eventually } from "../../support/runner/eventually.js";
import type { OperatorAnswer } from "../../support/clients/operator-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const QUEUES = "/admin/queues/api/queues";
interface Board {
  queues: {
    name: string;
    readOnlyMode: boolean;
    counts: Record<string, number>;
    jobs: { data: Record<string, unknown> }[];
  }[];
}

async function boardOf(operated: TestService, query = ""): Promise<Board> {
  return eventually("the board shows its queues", async () => {
    const board = JSON.parse((await operated.operator.get(`${QUEUES}${query}`)).text) as Board;
    return board.queues.length === 3 && board;
  });
}

describe("the queue dashboard", () => {
  let operated: TestService;
  before(async () => {
    operated = await startTestService({ operated: true, workers: 0 });
  });
  after(() => operated.close());

  it("loads all its files from this service", async () => {
    const { status, text } = await operated.operator.get("/admin/queues");
    assert.equal(status, 200);
    assert.match(text, /<base href="\/admin\/queues\/" \/>/);
    const files = [...text.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(
      ([, path]) => `/admin/queues/${path}`,
    );
    assert.ok(files.length >= 4, text);
    assert.doesNotMatch(text, /(?:src|href)="https?:/);
    for (const path of files) assert.equal((await operated.operator.get(path)).status, 200, path);
    assert.match(
      (await operated.operator.get("/admin/queues")).headers.get("content-security-policy") ?? "",
      /^default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;/,
    );
  });

  it("says that finished jobs are elsewhere, with links that leave the board", async () => {
    const { text } = await operated.operator.get("/admin/queues");
    assert.match(text, /<nav [^]*Only what waits or runs is here\.[^]*<\/nav><\/body>/);
    for (const path of ["/admin/jobs", "/admin/db"]) assert.ok(text.includes(`href="${path}"`));
  });

  it("shows the queues and their hints, which contain only ids", async () => {
    const person = await operated.person();
    const { id } = await person.enqueue("echo", { message: "private words" }, { priority: 7 });
    // The hint is added after the answer.
    const queues = await eventually("the hint was added", async () => {
      const board = await boardOf(
        operated,
        "?activeQueue=tasks-in-worker&status=latest&page=1&jobsPerPage=10",
      );
      return board.queues.some(({ jobs }) => jobs.length > 0) && board.queues;
    });
    assert.deepEqual(queues.map(({ name }) => name).toSorted(), [
      "tasks-in-child",
      "tasks-in-worker",
      "upkeep",
    ]);
    const [hint] = queues.find(({ name }) => name === "tasks-in-worker")?.jobs ?? [];
    assert.deepEqual(
      [hint?.data["id"], Object.keys(hint?.data ?? {}).toSorted()],
      [id, ["id", "requestId", "run", "userId"]],
    );
    assert.ok(!JSON.stringify(queues).includes("private words"));
  });

  // All changing routes of the installed version.
  const changes = appRoutes.api
    .flatMap(({ method, route }) =>
      [method]
        .flat()
        .flatMap((verb) =>
          [route]
            .flat()
            .map((path) => [verb.toUpperCase(), path.replace(/:\w+/g, "tasks-in-worker")] as const),
        ),
    )
    .filter(([method]) => method !== "GET");
  const change = async (
    board: TestService,
    method: string,
    path: string,
  ): Promise<OperatorAnswer> => {
    const answer = await fetch(`${board.url}/admin/queues${path}`, {
      method,
      body: "{}",
      headers: {
        "content-type": "application/json",
        "sec-fetch-site": "same-origin",
        authorization: `Basic ${Buffer.from("admin:the operators' password").toString("base64")}`,
      },
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  it("refuses every change by default", async () => {
    const { queues } = await boardOf(operated);
    assert.deepEqual(
      queues.map(({ readOnlyMode }) => readOnlyMode),
      [true, true, true],
    );
    assert.ok(changes.length > 15, `only ${changes.length} changes`);
    for (const [method, path] of changes) {
      const answer = await change(operated, method, path);
      assert.deepEqual(
        [answer.status, JSON.parse(answer.text)],
        [
          405,
          {
            code: "FORBIDDEN",
            message: "The dashboard is read-only: set ADMIN_ACTIONS=true to enable actions.",
          },
        ],
        `${method} ${path}`,
      );
    }
  });

  it("allows changes with ADMIN_ACTIONS=true", async () => {
    const acting = await startTestService({
      operated: true,
      workers: 0,
      env: { ADMIN_ACTIONS: "true" },
    });
    const { queues } = await boardOf(acting);
    assert.deepEqual(
      queues.map(({ readOnlyMode }) => readOnlyMode),
      [false, false, false],
    );
    assert.equal((await change(acting, "PUT", "/api/queues/tasks-in-worker/pause")).status, 200);
    const paused = (await boardOf(acting)).queues.find(({ name }) => name === "tasks-in-worker");
    assert.equal((paused as unknown as { isPaused: boolean }).isPaused, true);
    const audited = await acting.database.sql`
      select actor, action, target from operator_actions`;
    assert.deepEqual(
      [...audited],
      [
        {
          actor: "admin (127.0.0.1)",
          action: "queue dashboard",
          target: { method: "PUT", path: "/admin/queues/api/queues/tasks-in-worker/pause" },
        },
      ],
    );
    await acting.close();
  });
});
