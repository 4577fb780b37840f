// How fast a stream is pulled, and that it is let go: by a schema that tells, on the product's own
// handler.
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
const ENOUGH = 2000;

/** As many frames as are asked for, and how many that were. */
function createCounted() {
  const told = { pulled: 0, returned: false };
  const frames: AsyncIterableIterator<{ frame: string }> = {
    async next() {
      told.pulled++;
      return told.returned || told.pulled > ENOUGH
        ? { done: true, value: undefined }
        : { done: false, value: { frame: FRAME } };
    },
    async return() {
      told.returned = true;
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
  return { told, schema: new GraphQLSchema({ query, subscription }) };
}

const opened: FastifyInstance[] = [];

/** Returns its port. */
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

  it("is pulled no faster than it is read, and its reader is cut off who does not go on", async () => {
    const { told, schema } = createCounted();
    const port = await serve(schema, 500);
    const answer = await open(port);
    answer.pause();
    await eventually("the reader is cut off", () => told.returned);
    // What the system's buffers take: some megabytes.
    assert.ok(told.pulled < 300, `${told.pulled} frames were pulled for a reader who read none`);
    answer.destroy();
    // Of the one that this person may have.
    await eventually("there is room again", async () => (await open(port)).statusCode === 200);
  });

  it("is told in full to a reader who reads", async () => {
    const { told, schema } = createCounted();
    const port = await serve(schema);
    let bytes = 0;
    for await (const part of await open(port)) bytes += (part as Buffer).length;
    assert.ok(bytes > ENOUGH * FRAME.length);
    assert.equal(told.pulled, ENOUGH + 1);
  });

  it("is let go when its reader is gone", async () => {
    const { told, schema } = createCounted();
    const port = await serve(schema);
    const answer = await open(port);
    await once(answer, "data");
    answer.destroy();
    await eventually("it is let go", () => told.returned);
    assert.ok(told.pulled < ENOUGH);
  });
});
