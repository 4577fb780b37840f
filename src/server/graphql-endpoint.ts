import { ApolloServer, HeaderMap } from "@apollo/server";
import type { ApolloServerPlugin } from "@apollo/server";
import { ApolloServerPluginLandingPageDisabled } from "@apollo/server/plugin/disabled";
import { fastifyApolloHandler } from "@as-integrations/fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GraphQLError } from "graphql";
import type { GraphQLSchema } from "graphql";
import { withDeadline } from "../deadline.js";
import { createContext } from "../graphql/context.js";
import type { Context, Services } from "../graphql/context.js";
import { MAX_ERRORS } from "../graphql/document-checker.js";
import { formatError, isInternal, withoutSuggestion } from "../graphql/format-error.js";
import { limitRule } from "../graphql/limits/limit-rule.js";
import { LIMITS } from "../graphql/limits/limits.js";
import { createVariablesChecker } from "../graphql/limits/variables-checker.js";
import type { VariablesChecker } from "../graphql/limits/variables-checker.js";
import type { Authenticator } from "./authenticator.js";
import { tookTooLong } from "./execute-in-time.js";
import { MAX_GRAPHQL_BYTES, takeGraphqlBodies } from "./graphql-body.js";
import { retryHeaders, statusOf } from "./http-status.js";

export interface GraphqlEndpointOptions {
  schema: GraphQLSchema;
  services: Services;
  authenticator: Authenticator;
  introspection: boolean;
  production: boolean;
  /** Until an operation is answered. */
  operationMs: number;
  /** An error was told, with this code. */
  onError: (code: string) => void;
  /** Answers a browser that opens the path; null when it is none. */
  browserPage: ((request: FastifyRequest, reply: FastifyReply) => Promise<string> | null) | null;
}

/** `POST /graphql` (and GET, for what only reads). Every error of this path leaves as GraphQL, in the negotiated media type. */
export async function registerGraphqlEndpoint(app: FastifyInstance, options: GraphqlEndpointOptions): Promise<void> {
  const apollo = new ApolloServer<Context>({
    schema: options.schema,
    introspection: options.introspection,
    nodeEnv: options.production ? "production" : "development",
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: options.production,
    csrfPrevention: true,
    persistedQueries: false,
    parseOptions: { maxTokens: LIMITS.tokens },
    validationRules: [limitRule],
    validationOptions: { maxErrors: MAX_ERRORS },
    stopOnTerminationSignals: false,
    formatError: (_, error) => formatError(options.production ? withoutSuggestion(error) : error),
    plugins: [refuseSubscriptions, limitVariables(createVariablesChecker(options.schema)), logInternalErrors, chooseStatus, countErrors(options.onError), ApolloServerPluginLandingPageDisabled()],
  });
  await apollo.start();
  app.addHook("onClose", () => apollo.stop());

  await app.register(async (scope) => {
    takeGraphqlBodies(scope);
    const answer = fastifyApolloHandler(apollo, { context: (request) => contextOf(request, options) });
    const late = (): string => {
      throw tookTooLong(options.operationMs);
    };
    const handler: typeof answer = function handler(request, reply) {
      return options.browserPage?.(request, reply) ?? withDeadline(async () => answer.call(this, request, reply), options.operationMs, late);
    };
    // The other methods too, so that their refusal is a GraphQL one.
    scope.route({ method: ["GET", "POST", "PUT", "PATCH", "DELETE"], url: "/graphql", bodyLimit: MAX_GRAPHQL_BYTES, handler });
  });
}

async function contextOf(request: FastifyRequest, { services, authenticator }: GraphqlEndpointOptions): Promise<Context> {
  try {
    const { user } = await authenticator.fromHeader(request.raw.headersDistinct["authorization"], request.ip);
    return createContext(services, { user, requestId: request.id, log: request.log.child({ userId: user.id }) as Context["log"], cached: true });
  } catch (error) {
    if (isInternal(error)) request.log.error({ err: error }, "a request could not be authenticated");
    throw new GraphQLError("", { originalError: error as Error, extensions: { http: { status: statusOf(error), headers: new HeaderMap(Object.entries(retryHeaders(error))) }, ...(isInternal(error) && { code: "INTERNAL_SERVER_ERROR" }) } });
  }
}

const logInternalErrors: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    async didEncounterErrors({ errors, contextValue, operationName }) {
      for (const error of errors) if (isInternal(error)) contextValue.log.error({ err: error.originalError ?? error, path: error.path, operationName }, "an operation failed");
    },
  }),
};

/** Apollo would execute one as if it were a query, and fail. */
const refuseSubscriptions: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    async didResolveOperation({ operation }) {
      if (operation?.operation === "subscription") throw new GraphQLError("Subscriptions are served over the WebSocket of this path, and at /graphql/stream.", { extensions: { code: "BAD_REQUEST", http: { status: 400 } } });
    },
  }),
};

function limitVariables(check: VariablesChecker): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => ({
      async didResolveOperation({ document, operation, request }) {
        const error = operation && check(document, operation, request.variables);
        if (error) throw new GraphQLError(error.message, { ...(error.nodes && { nodes: error.nodes }), extensions: { ...error.extensions, http: { status: 400 } } });
      },
    }),
  };
}

/** What could not be done for want of PostgreSQL, or was not begun, is no success to a client that looks at the status alone. */
const chooseStatus: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    async willSendResponse({ response }) {
      if (response.body.kind !== "single") return;
      const { data, errors } = response.body.singleResult;
      if (data === undefined && (response.http.status ?? 200) === 200) response.http.status = 400;
      if (errors?.some((error) => error.extensions?.["code"] === "SERVICE_UNAVAILABLE")) response.http.status = 503;
    },
  }),
};

function countErrors(onError: (code: string) => void): ApolloServerPlugin<Context> {
  return {
    requestDidStart: async () => ({
      async willSendResponse({ response }) {
        if (response.body.kind === "single") for (const { extensions } of response.body.singleResult.errors ?? []) onError(String(extensions?.["code"]));
      },
    }),
  };
}
