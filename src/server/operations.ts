import { GraphQLError, getOperationAST } from "graphql";
import type { ExecutionArgs, GraphQLFormattedError, GraphQLSchema } from "graphql";
import { ServiceUnavailableError } from "../errors.js";
import { createContext } from "../graphql/context.js";
import type { Services } from "../graphql/context.js";
import { createDocumentChecker } from "../graphql/document-checker.js";
import { formatError, isInternal } from "../graphql/format-error.js";
import { createVariablesChecker } from "../graphql/limits/variables-checker.js";
import type { Logger } from "../logger.js";
import type { Session } from "./authenticator.js";
import type { OperationText } from "./known-operations.js";
import { newRequestId } from "./request-id.js";

export interface OperationRequest extends OperationText {
  variables?: Record<string, unknown> | null | undefined;
}

export interface Operations {
  /** What is to be executed, or why it is not. `place`: for its lines in the log. */
  prepare(session: Session, request: OperationRequest, log: () => Logger, place?: object): Promise<ExecutionArgs | readonly GraphQLError[]>;
  /** Errors as clients are told them; those that nobody foresaw are logged. */
  tell(errors: readonly (GraphQLError | GraphQLFormattedError)[], log: () => Logger): GraphQLFormattedError[];
}

export interface OperationsOptions {
  schema: GraphQLSchema;
  services: Services;
  introspection: boolean;
  production: boolean;
  /** An error was told, with this code. */
  onError: (code: string) => void;
}

/** For the doors that nothing of Apollo reaches, sockets and streams: the same checks, limits and masking. */
export function createOperations(options: OperationsOptions): Operations {
  const { schema, services } = options;
  const checker = createDocumentChecker(schema, options);
  const exceeds = createVariablesChecker(schema);

  return {
    async prepare(session, { query, operationName, variables }, log, place) {
      const document = checker.check(query);
      if (!("kind" in document)) return document;
      const operation = getOperationAST(document, operationName);
      if (!operation) return [noOperation(operationName)];
      const excess = exceeds(document, operation, variables);
      if (excess) return [excess];
      try {
        const user = await session.refresh();
        const requestId = newRequestId();
        const contextValue = createContext(services, { user, requestId, log: () => log().child({ ...place, requestId, userId: user.id }), cached: false });
        return { schema, document, contextValue, hideSuggestions: options.production, ...(operationName != null && { operationName }), ...(variables != null && { variableValues: variables }) };
      } catch (error) {
        return [asGraphQLError(error)];
      }
    },
    tell(errors, log) {
      for (const error of errors) if (isInternal(error)) log().error({ err: error instanceof GraphQLError ? (error.originalError ?? error) : error }, "an operation failed");
      const told = errors.map(formatError);
      for (const { extensions } of told) options.onError(String(extensions?.["code"]));
      return told;
    },
  };
}

/** In Apollo's words, so that it is the same over HTTP. */
function noOperation(name: string | null | undefined): GraphQLError {
  return new GraphQLError(name ? `Unknown operation named "${name}".` : "Must provide operation name if query contains multiple operations.", { extensions: { code: "GRAPHQL_VALIDATION_FAILED" } });
}

export function asGraphQLError(error: unknown): GraphQLError {
  return new GraphQLError("", { originalError: error instanceof Error ? error : new ServiceUnavailableError("Try again in a moment."), ...(isInternal(error) && { extensions: { code: "INTERNAL_SERVER_ERROR" } }) });
}
