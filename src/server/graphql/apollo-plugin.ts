import type { ApolloServerPlugin, GraphQLRequestListener } from "@apollo/server";
import { GraphQLError } from "graphql";
import type { Context } from "../../graphql/context.js";
import type { VariablesChecker } from "../../graphql/limits/variables-checker.js";
import type { ErrorTeller } from "./errors.js";
import { statusOfResult } from "../http/errors.js";
import type { KnownOperations } from "./known-operations.js";

export interface ApolloPluginOptions {
  exceeds: VariablesChecker;
  known: KnownOperations;
  teller: ErrorTeller;
}

/**
 * What is ours on the way of an operation through Apollo. One plugin and one listener: Apollo waits
 * for each at each step.
 */
export function createApolloPlugin({
  exceeds,
  known,
  teller,
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
      teller.log(errors, contextValue.log, { operationName });
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
