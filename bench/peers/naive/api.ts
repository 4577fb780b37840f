// Apollo Server on Fastify, Drizzle, BullMQ and graphql-ws. Each is used as in the first example of
// its documentation.
import { ApolloServer } from "@apollo/server";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import fastify from "fastify";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { authenticate } from "./authenticate.js";
import {
  enqueueJob,
  listQueuedJobs,
  subscribeToEvents,
  typeDefs,
  type Context,
} from "./resolvers.js";

process.once("disconnect", () => process.exit());
const schema = buildSchema(typeDefs);
const apollo = new ApolloServer<Context>({
  schema,
  rootValue: { enqueueJob, queuedJobs: listQueuedJobs },
});
await apollo.start();
const app = fastify();
app.post(
  "/graphql",
  fastifyApolloHandler(apollo, {
    context: async (request) => ({ user: await authenticate(request.headers.authorization) }),
  }),
);
useServer<{ authorization?: string }>(
  {
    schema,
    roots: { subscription: { queuedJobEvents: subscribeToEvents } },
    context: async ({ connectionParams }) => ({
      user: await authenticate(connectionParams?.authorization),
    }),
  },
  new WebSocketServer({ server: app.server, path: "/graphql" }),
);
await app.listen({ host: "127.0.0.1", port: Number(process.env["PORT"]) });
process.send?.("ready");
