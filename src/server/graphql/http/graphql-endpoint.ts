import {
  ApolloServer,
  HeaderMap,
  type ApolloServerPlugin,
  type GraphQLRequestListener,
} from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type GraphQLSchema, GraphQLError } from "graphql";
import { withDeadline } from "../../../runtime/deadline.js";
import { createContext, type Context, type Services } from "../../../graphql/context.js";
import { MAX_ERRORS } from "../../../graphql/document-checker.js";
import { isInternal } from "../../../graphql/format-error.js";
import { limitRule } from "../../../graphql/limits/measure-operation.js";
import { LIMITS } from "../../../graphql/limits/limits.js";
import {
  createVariablesChecker,
  type VariablesChecker,
} from "../../../graphql/limits/variables-checker.js";
import type { Logger } from "../../../runtime/logger.js";
import { asGraphQLError, type ErrorReporter } from "../errors.js";
import type { Authenticator } from "../../access/authenticator.js";
import { tookTooLong } from "../execute.js";
import { takeGraphqlBodies } from "./graphql-requests.js";
import { headersOf, statusOf, statusOfResult } from "../../http/errors.js";
import { createFastPath } from "../fast-path.js";
import {
  createDocumentStore,
  createOperationCache,
  type OperationCache,
} from "../operation-cache.js";
import type { OperationCompiler } from "../operation-compiler.js";

interface GraphqlEndpointOptions {
  schema: GraphQLSchema;
  services: Services;
  authenticator: Authenticator;
  introspection: boolean;
  production: boolean;
  /** Until an operation is answered. */
  operationMs: number;
  compiled: OperationCompiler;
  reporter: ErrorReporter;
  /** Answers a browser that opens the path; null when it is none. */
  browserPage: ((request: FastifyRequest, reply: FastifyReply) => Promise<string> | null) | null;
}

/**
 * `POST /graphql` (and GET, for what only reads). Every error of this path leaves as GraphQL, in
 * the negotiated media type. Apollo answers what is new or unusual; an operation that it has let
 * through once is answered without it from then on.
 */
export async function registerGraphqlEndpoint(
  app: FastifyInstance,
  options: GraphqlEndpointOptions,
): Promise<void> {
  const known = createOperationCache();
  const exceeds = createVariablesChecker(options.schema);
  const apollo = new ApolloServer<Context>({
    schema: options.schema,
    introspection: options.introspection,
    nodeEnv: options.production ? "production" : "development",
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: options.production,
    csrfPrevention: true,
    persistedQueries: false,
    documentStore: createDocumentStore(),
    parseOptions: { maxTokens: LIMITS.tokens },
    validationRules: [limitRule],
    validationOptions: { maxErrors: MAX_ERRORS },
    stopOnTerminationSignals: false,
    formatError: (_, error) => options.reporter.mask(error),
    // Its cache control looks at every field, to say of an answer that it must not be stored.
    plugins: [
      createApolloPlugin({ ...options, exceeds, known }),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  app.addHook("onClose", () => apollo.stop());

  await app.register(async (scope) => {
    takeGraphqlBodies(scope, options.reporter);
    const contexts = createContexts(options);
    const answer = fastifyApolloHandler(apollo, { context: contexts });
    const answers = createFastPath({ ...options, known, exceeds, contextOf: contexts });
    const late = (): string => {
      throw tookTooLong(options.operationMs);
    };
    const handler: typeof answer = function handler(request, reply) {
      const answered = async () =>
        (await answers.answer(request, reply)) ??
        answers.learn(request, reply, await answer.call(this, request, reply));
      return (
        options.browserPage?.(request, reply) ?? withDeadline(answered, options.operationMs, late)
      );
    };
    // The other methods too, so that their refusal is a GraphQL one.
    scope.route({
      method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      url: "/graphql",
      bodyLimit: LIMITS.bytes,
      handler,
    });
  });
}

/** One for each request, whoever asks first. */
function createContexts(
  options: GraphqlEndpointOptions,
): (request: FastifyRequest) => Promise<Context> {
  const made = new WeakMap<FastifyRequest, Promise<Context>>();
  return (request) => {
    const context = made.get(request) ?? contextOf(request, options);
    made.set(request, context);
    return context;
  };
}

async function contextOf(
  request: FastifyRequest,
  { services, authenticator }: GraphqlEndpointOptions,
): Promise<Context> {
  try {
    const { user } = await authenticator.fromRequest(request);
    return createContext(services, {
      user,
      requestId: request.id,
      log: () => request.log.child({ userId: user.id }) as Logger,
    });
  } catch (error) {
    if (isInternal(error))
      request.log.error({ err: error }, "a request could not be authenticated");
    throw asGraphQLError(error, {
      http: { status: statusOf(error), headers: new HeaderMap(Object.entries(headersOf(error))) },
    });
  }
}

interface ApolloPluginOptions {
  exceeds: VariablesChecker;
  known: OperationCache;
  reporter: ErrorReporter;
}

/**
 * What is ours on the way of an operation through Apollo. One plugin and one listener: Apollo waits
 * for each at each step.
 */
function createApolloPlugin({
  exceeds,
  known,
  reporter,
}: ApolloPluginOptions): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async didResolveOperation({
      source,
      document,
      operation,
      request: { variables, operationName },
    }) {
      // Apollo would execute one as if it were a query, and fail.
      if (operation?.operation === "subscription")
        throw new GraphQLError(
          "Subscriptions are served over the WebSocket of this path, and at /graphql/stream.",
          { extensions: { code: "BAD_REQUEST", http: { status: 400 } } },
        );
      if (!operation) return;
      const error = exceeds(document, operation, variables);
      if (error)
        throw new GraphQLError(error.message, {
          ...(error.nodes && { nodes: error.nodes }),
          extensions: { ...error.extensions, http: { status: 400 } },
        });
      known.add({ query: source, operationName }, { document, operation });
    },
    async didEncounterErrors({ errors, contextValue, operationName }) {
      reporter.log(errors, contextValue.log, { operationName });
    },
    async willSendResponse({ response }) {
      response.http.headers.set("cache-control", "no-store");
      if (response.body.kind !== "single") return;
      const { singleResult } = response.body;
      response.http.status = statusOfResult(singleResult, response.http.status);
    },
  };
  return { requestDidStart: async () => listener };
}
