// A user's data is not accessible to other users through any field, argument, path, stream or URL.
// The lists are compared with the schema. A new argument with an id, a new path between objects or
// a new URL fails here until its expected refusal is listed.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { GraphQLSchema } from "graphql";
import { createSchema } from "../../src/graphql/schema.js";
import { createTypedJobs } from "../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import { idOfNothing } from "../support/asserts/broken-ids.js";
import { startTestService, type ProxiedService } from "../support/service/test-service.js";
import { openRawSocket, type RawSocket } from "../support/clients/raw-socket.js";
import { createBelongings, rowsOf, type Belongings } from "./tenancy/belongings.js";
import { ADMIN_ONLY, baseOf, BELOW, BULK, KEYS, NAMES, PLACES } from "./tenancy/places.js";
import {
  edgesIn,
  edgesOf,
  operationOf,
  placesOf,
  urlFieldsOf,
  variablesAt,
} from "./tenancy/schema-walk.js";
import { createWays, withoutIds, type Ask, type Outcome } from "./tenancy/ways.js";

const OUTPUTS = "query ($id: ID!) { queuedJob(id: $id) { outputs { url } } }";

describe("another user's data", () => {
  let schema: GraphQLSchema;
  let counted: ProxiedService;
  let victim: Belongings;
  let stranger: Belongings;
  let socket: RawSocket;
  let untouched: unknown;
  before(async () => {
    [schema, counted] = await Promise.all([
      createSchema(createTypedJobs(catalogue.values())),
      startTestService({ proxied: true, workers: 0 }),
    ]);
    const worker = await counted.addWorker();
    [victim, stranger] = await Promise.all([
      createBelongings(counted, "victim"),
      createBelongings(counted, "stranger"),
    ]);
    await worker.close();
    socket = openRawSocket(counted.url);
    await socket.init(stranger.client.token);
    untouched = await rowsOf(counted.database.sql, victim);
  });
  after(async () => {
    socket.close();
    await counted.close();
  });

  const operation = (place: string) => BELOW[place] ?? operationOf(schema, place, 3);

  const ways = createWays(() => ({ client: stranger.client, socket }));
  const { HTTP: overHttp, "the socket": overSocket } = ways;

  /** Values of the victim that a stranger may know, and similar values that identify nothing. */
  function attempts(place: string): { theirs: string[]; nothing: string[] } {
    if (/\((after|before)\)$/.test(place))
      return { theirs: Object.values(victim.cursors), nothing: ["AQIDBA"] };
    return {
      theirs: Object.values(victim.ids).flatMap((id) => [id, id.toUpperCase()]),
      nothing: [idOfNothing()],
    };
  }

  async function answers(
    place: string,
    ask: Ask,
  ): Promise<{ theirs: Outcome[]; nothing: Outcome }> {
    const { theirs, nothing } = attempts(place);
    const all: Outcome[] = [];
    for (const value of [...theirs, ...nothing])
      all.push(withoutIds(await ask(operation(place), variablesAt(place, value, baseOf(place)))));
    return { theirs: all.slice(0, -1), nothing: all.at(-1) ?? {} };
  }

  for (const [place, expected] of Object.entries(PLACES)) {
    for (const [way, ask] of Object.entries<Ask>(ways).filter(
      ([name]) => name !== "HTTP" || !place.startsWith("Subscription"),
    )) {
      it(`looks to a stranger as if it did not exist: ${place} over ${way}`, async () => {
        const { theirs, nothing } = await answers(place, ask);
        for (const one of theirs) assert.deepEqual(one, nothing);
        if (expected === "null")
          return assert.deepEqual(
            [Object.values(nothing.data ?? {}), nothing.errors],
            [[null], undefined],
          );
        const [error, ...more] = nothing.errors ?? [];
        assert.deepEqual([error?.extensions.code, more.length], [expected[0], 0]);
        if (typeof expected[1] === "string") assert.equal(error?.message, expected[1]);
        else assert.match(error?.message ?? "", expected[1]);
      });
    }
  }

  it("costs as many SQL statements as a missing row, so that times reveal nothing", async () => {
    for (const place of Object.keys(PLACES)) {
      const ask = place.startsWith("Subscription") ? overSocket : overHttp;
      const cost = (value: string | undefined) =>
        counted.statements(() => ask(operation(place), variablesAt(place, value, baseOf(place))));
      const { theirs, nothing } = attempts(place);
      for (const value of theirs.slice(0, 5)) {
        // A statement of a watchdog may come in between.
        for (let tries = 3; (await cost(value)) !== (await cost(nothing[0]));)
          assert.ok(--tries > 0, `${place}: ${value}`);
      }
    }
  });

  it("is not returned for an idempotency key that its owner has used", async () => {
    for (const [i, place] of KEYS.entries()) {
      const one = { job: "echo", parameters: { message: i } };
      const jobs = [{ ...one, key: "a" }];
      const base = [{ input: one }, { inputs: [one] }, { input: { jobs } }][i];
      const variables = variablesAt(place, victim.idempotencyKey, base);
      const { data, errors } = await overHttp(operation(place), variables);
      assert.equal(
        errors?.[0]?.message ?? "",
        i !== 1
          ? ""
          : 'The idempotency key "key-of-victim" was used with other arguments; use a new key.',
      );
      assertNothingOf(victim, data);
    }
  });

  it("is not changed by mutations that act on all data of the caller", async () => {
    const passer = await counted.person();
    await passer.enqueue("echo");
    for (const call of BULK) await passer.get(operationOf(schema, call, 1));
    assert.deepEqual(await rowsOf(counted.database.sql, victim), untouched);
  });

  it("can be read by an admin, but not used, deleted or subscribed to", async () => {
    const admin = await counted.admin();
    for (const place of [
      "Mutation.deletePhoto(id)",
      "Mutation.enqueueJob(input.photoIds[])",
      "Mutation.enqueueJobs(inputs[].photoIds[])",
    ]) {
      const { errors } = await admin.ask(
        operation(place),
        variablesAt(place, victim.ids.photo, baseOf(place)),
      );
      assert.equal(errors?.[0]?.extensions.code, PLACES[place]?.[0], place);
    }
    const streams = [
      admin.events({ id: victim.ids.failed }),
      admin.events({ after: victim.cursors.events }),
    ];
    assert.deepEqual(
      (await Promise.all(streams.map((stream) => stream.ended()))).map(
        ({ errors }) => errors?.[0]?.extensions.code,
      ),
      ["NOT_FOUND", "BAD_USER_INPUT"],
    );
    assert.deepEqual(
      streams.flatMap(({ events }) => events),
      [],
    );
    assert.equal(
      (await admin.get("query ($id: ID!) { photo(id: $id) { id } }", { id: victim.ids.photo }))
        .photo.id,
      victim.ids.photo,
    );
  });

  it("is not reachable by any path of the schema", async () => {
    const visited = new Set<string>();
    const walk = async (root: string, query: string, variables: object, ask: Ask = overHttp) => {
      const { data, errors } = await ask(query, variables);
      assert.equal(errors, undefined, query);
      assertNothingOf(victim, data);
      for (const edge of edgesIn(data, root)) visited.add(edge);
    };
    const { ids, cursors } = stranger;
    for (const id of [...Object.values(ids), "echo"])
      await walk("Query", operationOf(schema, "Query.node", 3), { id });
    for (const id of [ids.finished, ids.failed])
      await walk("Query", operationOf(schema, "Query.queuedJob", 3), { id });
    const nodes = { user: ids.user, photo: ids.photo, jobGroup: ids.group };
    for (const [one, id] of Object.entries(nodes))
      await walk("Query", operationOf(schema, `Query.${one}`, 4), { id });
    await walk("Query", operationOf(schema, "Query.job", 2), { name: "echo" });
    for (const list of "me jobs photos photosByDay queuedJobs jobGroups service".split(" "))
      await walk("Query", operationOf(schema, `Query.${list}`, 3), { first: 3 });
    for (const [name, variables] of Object.entries({
      cancelQueuedJob: { id: ids.waiting },
      retryQueuedJob: { id: ids.waiting },
      enqueueJob: { input: { job: "echo" } },
      enqueueJobs: { inputs: [{ job: "metadata", photoIds: [ids.photo] }] },
      keepOutput: { queuedJobId: ids.finished, name: "16w.webp" },
      enqueueGroup: { input: { jobs: [{ key: "a", job: "echo" }] } },
      cancelGroup: { id: ids.group },
      retryGroup: { id: ids.group },
    }))
      await walk("Mutation", operationOf(schema, `Mutation.${name}`, 3), variables);
    for (const [stream, variables] of [
      ["queuedJobEvents", { queuedJobId: ids.failed }],
      ["photoEvents", { after: cursors.start }],
    ] as const) {
      const events = operationOf(schema, `Subscription.${stream}`, 4);
      await walk("Subscription", events, variables, overSocket);
    }
    assert.deepEqual(
      edgesOf(schema).filter((edge) => !visited.has(edge) && !ADMIN_ONLY.includes(edge)),
      [],
      "these paths were not tested",
    );
  });

  it("is visible to its owner by the same paths, so that leaks cannot be missed", async () => {
    const seen = JSON.stringify(
      await Promise.all(
        Object.values(victim.ids).map((id) =>
          victim.client.get(operationOf(schema, "Query.node", 3), { id }),
        ),
      ),
    );
    assert.deepEqual(
      victim.secrets.filter((secret) => !seen.includes(secret)),
      [],
    );
  });

  it("has files that need their own signature, not the one of another URL", async () => {
    const ofPhoto = (field: string) => {
      const query = `query ($id: ID!) { photo(id: $id) { value: ${field} } }`;
      return async ({ client, ids }: Belongings): Promise<string> =>
        (await client.get(query, { id: ids.photo })).photo.value.split(" ")[0];
    };
    const URLS: Record<string, (of: Belongings) => Promise<string>> = {
      "Photo.url": ofPhoto("url"),
      "Photo.previewUrl": ofPhoto("previewUrl"),
      "Photo.image": ofPhoto("image(width: 64)"),
      "Photo.srcset": ofPhoto("srcset"),
      "OutputFile.url": async ({ client, ids }) =>
        (await client.get(OUTPUTS, { id: ids.finished })).queuedJob.outputs[0].url,
    };
    assert.deepEqual(urlFieldsOf(schema).toSorted(), Object.keys(URLS).toSorted());
    for (const [field, urlOf] of Object.entries(URLS)) {
      const [victims, strangers] = [await urlOf(victim), await urlOf(stranger)].map((url) =>
        url.split("?"),
      ) as [[string, string], [string, string]];
      for (const url of [
        victims[0],
        `${victims[0]}?${strangers[1]}`,
        `${victims[0].replace(/[0-9a-f-]{36}/, idOfNothing())}?${strangers[1]}`,
      ]) {
        const response = await fetch(`${counted.url}${url}`, {
          headers: { authorization: `Bearer ${stranger.client.token}` },
        });
        assert.deepEqual(
          [response.status, await response.json()],
          [
            403,
            {
              code: "FORBIDDEN",
              message: "The URL is not signed or has expired: request a new one.",
            },
          ],
          field,
        );
      }
    }
  });

  it("is tested here for every argument with an id or key, and for every mutation", () => {
    assert.deepEqual(
      placesOf(schema).toSorted(),
      [...Object.keys(PLACES), ...KEYS, ...NAMES].toSorted(),
    );
    const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {}).map(
      (name) => `Mutation.${name}`,
    );
    const tried = new Set(
      [...Object.keys(PLACES), ...KEYS, ...BULK].map((place) => place.replace(/\(.*/, "")),
    );
    assert.deepEqual(
      mutations.filter((name) => !tried.has(name)),
      [],
    );
  });

  it("has not changed in any row", async () => {
    assert.deepEqual(await rowsOf(counted.database.sql, victim), untouched);
  });
});

function assertNothingOf({ secrets }: Belongings, data: unknown): void {
  const text = JSON.stringify(data);
  assert.deepEqual(
    secrets.filter((secret) => text.includes(secret)),
    [],
  );
}
