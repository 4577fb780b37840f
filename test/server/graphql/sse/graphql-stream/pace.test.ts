// Tests how fast a stream is read from its source, and that the source is closed. The schema counts
// the frames; the handler is the real one.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import Fastify, { type FastifyInstance } from "fastify";
import { GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import type { Services } from "../../../../../src/graphql/context.js";
import { registerGraphqlStream } from "../../../../../src/server/graphql/sse/graphql-stream.js";
import { createErrorReporter } from "../../../../../src/server/graphql/errors.js";
import { createOperations } from "../../../../../src/server/graphql/operations.js";
import { createUserConnections } from "../../../../../src/server/access/user-connections.js";
import type { User } from "../../../../../src/services/users/users.js";
import { eventually } from "../../../../support/runner/eventually.js";

const FRAME = "x".repeat(64 * 1024);
const MAX_FRAMES = 2000;

/** A source that counts its frames. */
function createCounted() {
  const counts = { pulled: 0, returned: false };
  const frames: AsyncIterableIterator<{ frame: string }> = {
    async next() {
      counts.pulled++;
      return counts.returned || counts.pulled > MAX_FRAMES
        ? { done: true, value: undefined }
        : { done: false, value: { frame: FRAME } };
    },
    async return() {
      counts.returned = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => frames,
  };
  const query = new GraphQLObjectType({
    name: "Query",
    fields: { frame: { type: GraphQLString } },
  });
  const subscription = new GraphQLObjectType({
    name: "Subscription",
    fields: { frame: { type: GraphQLString, subscribe: () => frames } },
  });
  return { counts, schema: new GraphQLSchema({ query, subscription }) };
}

const opened: FastifyInstance[] = [];

/** Returns the port. */
async function serve(schema: GraphQLSchema, unsentMs = 30_000): Promise<number> {
  const app = Fastify({ forceCloseConnections: true });
  opened.push(app);
  const user = { id: "u" } as User;
  const session = { user, expiresAt: Date.now() / 1000 + 60, refresh: async () => user };
  const operations = createOperations({
    schema,
    services: { feed: { assertRoom() {} } } as unknown as Services,
    introspection: true,
    production: false,
  });
  const reporter = createErrorReporter({ production: false, onError() {} });
  await registerGraphqlStream(app, {
    operations,
    reporter,
    authenticator: { fromRequest: async () => session, fromPayload: async () => session },
    connections: createUserConnections(1),
    operationMs: 10_000,
    unsentMs,
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
}

async function open(port: number): Promise<IncomingMessage> {
  const asking = request({
    host: "127.0.0.1",
    port,
    path: "/graphql/stream?query=subscription{frame}",
    agent: false,
  });
  asking.on("error", () => {});
  asking.end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return answer.on("error", () => {});
}

describe("a stream over HTTP", () => {
  afterEach(async () => {
    for (const app of opened.splice(0)) await app.close();
  });

  it("produces frames no faster than they are read, and disconnects an idle reader", async () => {
    const { counts, schema } = createCounted();
    const port = await serve(schema, 500);
    const answer = await open(port);
    answer.pause();
    await eventually("the reader is disconnected", () => counts.returned);
    // The buffers of the system take some megabytes.
    assert.ok(counts.pulled < 300, `${counts.pulled} frames were pulled for an idle reader`);
    answer.destroy();
    // The user may have one connection.
    await eventually("there is room again", async () => (await open(port)).statusCode === 200);
  });

  it("sends all frames to an active reader", async () => {
    const { counts, schema } = createCounted();
    const port = await serve(schema);
    let bytes = 0;
    for await (const part of await open(port)) bytes += (part as Buffer).length;
    assert.ok(bytes > MAX_FRAMES * FRAME.length);
    assert.equal(counts.pulled, MAX_FRAMES + 1);
  });

  it("closes its source when its reader disconnects", async () => {
    const { counts, schema } = createCounted();
    const port = await serve(schema);
    const answer = await open(port);
    await once(answer, "data");
    answer.destroy();
    await eventually("the source is closed", () => counts.returned);
    assert.ok(counts.pulled < MAX_FRAMES);
  });
});
