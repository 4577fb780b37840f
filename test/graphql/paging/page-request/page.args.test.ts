// Tests the common behavior of all lists over HTTP.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../../support/asserts/assert-refused.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

interface Page {
  edges: { cursor: string; node: { id: string } }[];
  nodes: { id: string }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  totalCount: number;
}

const PAGE =
  "{ edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage " +
  "startCursor endCursor } totalCount }";
const ROWS = 4;

/** Each list as a field of the query. */
const LISTS: Record<string, (photoId: string) => string> = {
  queuedJobs: () => `list: queuedJobs(first: $first, after: $after) ${PAGE}`,
  "queuedJobs of all users": () =>
    `list: queuedJobs(first: $first, after: $after, allUsers: true) ${PAGE}`,
  photos: () => `list: photos(first: $first, after: $after) ${PAGE}`,
  users: () => `list: users(first: $first, after: $after) ${PAGE}`,
  jobs: () => `list: jobs(first: $first, after: $after) ${PAGE}`,
  "me.queuedJobs": () => `me { list: queuedJobs(first: $first, after: $after) ${PAGE} }`,
  "photo.queuedJobs": (photoId) =>
    `photo(id: "${photoId}") { list: queuedJobs(first: $first, after: $after) ${PAGE} }`,
};

/** Lists of the same rows accept each other's cursors. */
const kindOf = (list: string) => (list.includes("queuedJobs") ? "queuedJobs" : list);

describe("the lists", () => {
  let service: TestService;
  let admin: TestClient;
  let photoId: string;
  let foreign: string;

  before(async () => {
    service = await startTestService({ workers: 0 });
    admin = await service.admin();
    const others = await Promise.all(Array.from({ length: ROWS - 1 }, () => service.person()));
    await admin.get("{ me { id } }");
    foreign = (
      await Promise.all(
        others.map(async (other) => {
          await other.enqueue("echo");
          return (await other.get("{ queuedJobs(first: 1) { edges { cursor } } }")).queuedJobs
            .edges[0].cursor;
        }),
      )
    )[0];
    for (let i = 0; i < ROWS; i++)
      photoId = String((await admin.upload(smallPhoto(), { type: "image/png" })).json["id"]);
    for (let i = 0; i < ROWS; i++) await admin.enqueue("metadata", {}, { photoIds: [photoId] });
  });
  after(() => service.close());

  const ask = (list: string, variables: { first?: unknown; after?: unknown }) =>
    admin.ask(`query ($first: Int, $after: String) { ${LISTS[list]?.(photoId)} }`, variables);
  async function read(
    list: string,
    variables: { first?: unknown; after?: unknown },
  ): Promise<Page> {
    const answer = await ask(list, variables);
    assert.deepEqual(answer.errors, undefined, list);
    return answer.data.list ?? answer.data.me?.list ?? answer.data.photo?.list;
  }

  for (const list of Object.keys(LISTS)) {
    it(`${list}: are read page by page, each row exactly once`, async () => {
      const whole = await read(list, { first: 100 });
      const ids: string[] = [];
      for (let cursor: string | null = null, hasNext = true; hasNext;) {
        const page = await read(list, { first: 3, after: cursor });
        assert.deepEqual(
          page.nodes,
          page.edges.map(({ node }) => node),
        );
        assert.deepEqual(
          [page.pageInfo.startCursor, page.pageInfo.endCursor],
          [page.edges[0]?.cursor, page.edges.at(-1)?.cursor],
        );
        assert.equal(page.pageInfo.hasPreviousPage, cursor !== null);
        assert.equal(page.totalCount, whole.nodes.length);
        ids.push(...page.nodes.map(({ id }) => id));
        ({ endCursor: cursor, hasNextPage: hasNext } = page.pageInfo);
      }
      assert.ok(ids.length >= ROWS, `only ${ids.length} rows`);
      assert.deepEqual(
        ids,
        whole.nodes.map(({ id }) => id),
      );
    });

    it(`${list}: have 1 to 100 rows per page, and refuse other numbers`, async () => {
      for (const first of [0, -1, 101, 1_000_000])
        assertRefused(
          (await ask(list, { first })).errors,
          "BAD_USER_INPUT",
          "first: must be 1 to 100",
          ["first"],
        );
      assertRefused(
        (await ask(list, { first: 2 ** 31 })).errors,
        "BAD_USER_INPUT",
        /cannot represent non 32-bit signed integer/,
      );
      assert.equal((await read(list, { first: 1 })).nodes.length, 1);
      assert.ok((await read(list, { first: null })).nodes.length >= ROWS);
      assert.ok((await read(list, {})).nodes.length >= ROWS);
    });

    it(`${list}: refuse an invalid cursor, and one of another user, list or stream`, async () => {
      const [edge] = (await read(list, { first: 1 })).edges;
      const others = Object.keys(LISTS).filter((other) => kindOf(other) !== kindOf(list));
      const ofOthers = await Promise.all(
        others.map(async (other) => (await read(other, { first: 1 })).edges[0]?.cursor),
      );
      const cursors = [
        "",
        " ",
        "0",
        "x".repeat(5000),
        foreign,
        ...ofOthers,
        await admin.cursor(),
        `${edge?.cursor}=`,
        edge?.cursor.slice(0, 9),
        edge?.cursor.slice(0, -1),
      ];
      // A truncated name is still a valid name; a truncated UUID is invalid.
      for (const cursor of list === "jobs" ? cursors.slice(0, -1) : cursors)
        assertRefused(
          (await ask(list, { after: cursor })).errors,
          "BAD_USER_INPUT",
          "after: is not one of your cursors; pass a cursor from an earlier response or event",
          ["after"],
        );
    });
  }

  it("are sorted: users oldest first, jobs by name, all others newest first", async () => {
    for (const list of Object.keys(LISTS)) {
      const ids = (await read(list, { first: 100 })).nodes.map(({ id }) => id);
      const rising = list === "users" || list === "jobs";
      assert.deepEqual(ids, rising ? ids.toSorted() : ids.toSorted().toReversed(), list);
    }
  });

  it("are empty for a new user, without cursors", async () => {
    const newcomer = await service.person();
    const none: Page = {
      edges: [],
      nodes: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
      totalCount: 0,
    };
    assert.deepEqual(
      await newcomer.get(`{ queuedJobs ${PAGE} photos ${PAGE} me { queuedJobs ${PAGE} } }`),
      { queuedJobs: none, photos: none, me: { queuedJobs: none } },
    );
  });
});
