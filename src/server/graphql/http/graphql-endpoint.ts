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
import {
  createContext,
  withWarnings,
  type Context,
  type Services,
} from "../../../graphql/context.js";
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
  /** Timeout for an operation. */
  operationMs: number;
  compiled: OperationCompiler;
  reporter: ErrorReporter;
  /** Answers a browser that opens the path; returns null for other requests. */
  browserPage: ((request: FastifyRequest, reply: FastifyReply) => Promise<string> | null) | null;
}

/**
 * Registers `POST /graphql`, and GET for queries. Every error of this path is a GraphQL error in
 * the negotiated media type. Apollo answers new and unusual operations. An operation that Apollo
 * has accepted once is then answered by the fast path.
 */
export async function registerGraphqlEndpoint(
  app: FastifyInstance,
  options: GraphqlEndpointOptions,
): Promise<void> {
  const cache = createOperationCache();
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
    // Apollo's cache control inspects every field, only to forbid storing the answer.
    plugins: [
      createApolloPlugin({ ...options, exceeds, cache }),
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
    const fastPath = createFastPath({ ...options, cache, exceeds, contextOf: contexts });
    const onTimeout = (): string => {
      throw tookTooLong(options.operationMs);
    };
    const handler: typeof answer = function handler(request, reply) {
      const answerOperation = async () =>
        (await fastPath.answer(request, reply)) ??
        fastPath.remember(request, reply, await answer.call(this, request, reply));
      return (
        options.browserPage?.(request, reply) ??
        withDeadline(answerOperation, options.operationMs, onTimeout)
      );
    };
    // Include the other methods, so that they too are refused with a GraphQL error.
    scope.route({
      method: ["GET", "POST", "PUT", "PATCH", "DELETE"],
      url: "/graphql",
      bodyLimit: LIMITS.bytes,
      handler,
    });
  });
}

/** Creates one context per request, which Apollo and the fast path share. */
function createContexts(
  options: GraphqlEndpointOptions,
): (request: FastifyRequest) => Promise<Context> {
  const contexts = new WeakMap<FastifyRequest, Promise<Context>>();
  return (request) => {
    const context = contexts.get(request) ?? contextOf(request, options);
    contexts.set(request, context);
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
  cache: OperationCache;
  reporter: ErrorReporter;
}

/**
 * Adds our steps to Apollo's processing. There is only one plugin with one listener, since Apollo
 * awaits each of them at each step.
 */
function createApolloPlugin({
  exceeds,
  cache,
  reporter,
}: ApolloPluginOptions): ApolloServerPlugin<Context> {
  const listener: GraphQLRequestListener<Context> = {
    async didResolveOperation({
      source,
      document,
      operation,
      request: { variables, operationName },
    }) {
      // Apollo would execute a subscription like a query, and fail.
      if (operation?.operation === "subscription")
        throw new GraphQLError(
          "Subscriptions are not available here: use a WebSocket on this path, or /graphql/stream.",
          { extensions: { code: "BAD_REQUEST", http: { status: 400 } } },
        );
      if (!operation) return;
      const error = exceeds(document, operation, variables);
      if (error)
        throw new GraphQLError(error.message, {
          ...(error.nodes && { nodes: error.nodes }),
          extensions: { ...error.extensions, http: { status: 400 } },
        });
      cache.add({ query: source, operationName }, { document, operation });
    },
    async didEncounterErrors({ errors, contextValue, operationName }) {
      reporter.log(errors, contextValue.log, { operationName });
    },
    async willSendResponse({ response, contextValue }) {
      response.http.headers.set("cache-control", "no-store");
      if (response.body.kind !== "single") return;
      response.body.singleResult = withWarnings(response.body.singleResult, contextValue);
      const { singleResult } = response.body;
      response.http.status = statusOfResult(singleResult, response.http.status);
    },
  };
  return { requestDidStart: async () => listener };
}
