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
const ARGUMENTS = "first: $first, after: $after, last: $last, before: $before";
const ROWS = 4;

interface Variables {
  first?: unknown;
  after?: unknown;
  last?: unknown;
  before?: unknown;
}

/** Each list as a field of the query. */
const LISTS: Record<string, (photoId: string) => string> = {
  queuedJobs: () => `list: queuedJobs(${ARGUMENTS}) ${PAGE}`,
  "queuedJobs of all users": () => `list: queuedJobs(${ARGUMENTS}, allUsers: true) ${PAGE}`,
  photos: () => `list: photos(${ARGUMENTS}) ${PAGE}`,
  users: () => `list: users(${ARGUMENTS}) ${PAGE}`,
  jobs: () => `list: jobs(${ARGUMENTS}) ${PAGE}`,
  "me.queuedJobs": () => `me { list: queuedJobs(${ARGUMENTS}) ${PAGE} }`,
  "photo.queuedJobs": (photoId) =>
    `photo(id: "${photoId}") { list: queuedJobs(${ARGUMENTS}) ${PAGE} }`,
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

  const ask = (list: string, variables: Variables) =>
    admin.ask(
      "query ($first: Int, $after: String, $last: Int, $before: String) { " +
        `${LISTS[list]?.(photoId)} }`,
      variables,
    );
  async function read(list: string, variables: Variables): Promise<Page> {
    const answer = await ask(list, variables);
    assert.deepEqual(answer.errors, undefined, list);
    return answer.data.list ?? answer.data.me?.list ?? answer.data.photo?.list;
  }

  for (const list of Object.keys(LISTS)) {
    it(`${list}: are read page by page in both directions, each row exactly once`, async () => {
      const whole = await read(list, { first: 100 });
      const all = whole.nodes.map(({ id }) => id);
      assert.ok(all.length >= ROWS, `only ${all.length} rows`);
      for (const backward of [false, true]) {
        const ids: string[][] = [];
        for (let cursor: string | null = null, goesOn = true; goesOn;) {
          const page = await read(
            list,
            backward ? { last: 3, before: cursor } : { first: 3, after: cursor },
          );
          const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
          assert.deepEqual(
            page.nodes,
            page.edges.map(({ node }) => node),
          );
          assert.deepEqual(
            [startCursor, endCursor],
            [page.edges[0]?.cursor, page.edges.at(-1)?.cursor],
          );
          assert.equal(backward ? hasNextPage : hasPreviousPage, cursor !== null);
          assert.equal(page.totalCount, all.length);
          ids.push(page.nodes.map(({ id }) => id));
          [cursor, goesOn] = backward ? [startCursor, hasPreviousPage] : [endCursor, hasNextPage];
        }
        assert.deepEqual((backward ? ids.toReversed() : ids).flat(), all);
      }
    });

    it(`${list}: have exact flags on an empty page`, async () => {
      const { startCursor, endCursor } = (await read(list, { first: 100 })).pageInfo;
      const empty = { edges: [], nodes: [] };
      const { totalCount: _, ...beyond } = await read(list, { after: endCursor });
      const { totalCount: __, ...ahead } = await read(list, { before: startCursor });
      const none = { startCursor: null, endCursor: null };
      assert.deepEqual(
        [beyond, ahead],
        [
          { ...empty, pageInfo: { hasNextPage: false, hasPreviousPage: true, ...none } },
          { ...empty, pageInfo: { hasNextPage: true, hasPreviousPage: false, ...none } },
        ],
      );
    });

    it(`${list}: refuse arguments of both directions`, async () => {
      const { endCursor: cursor } = (await read(list, { first: 2 })).pageInfo;
      for (const [variables, backward, forward] of [
        [{ first: 1, last: 1 }, "last", "first"],
        [{ first: 1, before: cursor }, "before", "first"],
        [{ last: 1, after: cursor }, "last", "after"],
        [{ after: cursor, before: cursor }, "before", "after"],
        [{ first: 0, last: 101, after: "", before: "" }, "last", "first"],
      ] as const)
        assertRefused(
          (await ask(list, variables)).errors,
          "BAD_USER_INPUT",
          `${backward}: cannot be combined with ${forward}; page forward with first and after, ` +
            "or backward with last and before",
          [backward],
        );
      const { nodes } = await read(list, { first: 1, after: cursor, last: null, before: null });
      assert.equal(nodes.length, 1);
    });

    it(`${list}: have 1 to 100 rows per page, and refuse other numbers`, async () => {
      for (const name of ["first", "last"])
        for (const size of [0, -1, 101, 1_000_000])
          assertRefused(
            (await ask(list, { [name]: size })).errors,
            "BAD_USER_INPUT",
            `${name}: must be 1 to 100`,
            [name],
          );
      assertRefused(
        (await ask(list, { first: 2 ** 31 })).errors,
        "BAD_USER_INPUT",
        /cannot represent non 32-bit signed integer/,
      );
      assert.equal((await read(list, { first: 1 })).nodes.length, 1);
      assert.equal((await read(list, { last: 1 })).nodes.length, 1);
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
        for (const name of ["after", "before"])
          assertRefused(
            (await ask(list, { [name]: cursor })).errors,
            "BAD_USER_INPUT",
            `${name}: is not one of your cursors; pass a cursor from an earlier response or event`,
            [name],
          );
    });
  }

  it("have 20 rows on a page whose size is not requested, in both directions", async () => {
    const person = await service.person();
    const inputs = Array.from({ length: 30 }, () => ({ job: "echo" }));
    const { enqueueJobs } = await person.get(
      "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
      { inputs },
    );
    const ids = enqueueJobs.map(({ id }: { id: string }) => id).toReversed();
    const page = async (args: string): Promise<Page> =>
      (await person.get(`{ queuedJobs${args} ${PAGE} }`)).queuedJobs;
    const idsOf = ({ nodes }: Page) => nodes.map(({ id }) => id);
    const first = await page("");
    assert.deepEqual(idsOf(first), ids.slice(0, 20));
    const last = await page("(last: 5)");
    assert.deepEqual(idsOf(last), ids.slice(25));
    const previous = await page(`(before: "${last.pageInfo.startCursor}")`);
    assert.deepEqual(idsOf(previous), ids.slice(5, 25));
    assert.deepEqual(
      [previous.pageInfo.hasPreviousPage, previous.pageInfo.hasNextPage],
      [true, true],
    );
  });

  it("show that no row precedes a page once the earlier rows are deleted", async () => {
    const person = await service.person();
    for (let i = 0; i < 3; i++) await person.upload(smallPhoto(), { type: "image/png" });
    const first: Page = (await person.get(`{ photos(first: 1) ${PAGE} }`)).photos;
    const hasPrevious = async () => {
      const variables = { after: first.pageInfo.endCursor };
      const query = `query ($after: String) { photos(after: $after) ${PAGE} }`;
      return (await person.get(query, variables)).photos.pageInfo.hasPreviousPage;
    };
    assert.equal(await hasPrevious(), true);
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: first.nodes[0]?.id });
    assert.equal(await hasPrevious(), false);
  });

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
