import {
  GraphQLError,
  OperationTypeNode,
  getOperationAST,
  type ExecutionArgs,
  type GraphQLSchema,
} from "graphql";
import { createContext, type Services } from "../../graphql/context.js";
import { createDocumentChecker } from "../../graphql/document-checker.js";
import { createVariablesChecker } from "../../graphql/limits/variables-checker.js";
import type { Logger } from "../../runtime/logger.js";
import { asGraphQLError } from "./errors.js";
import type { Session } from "../access/authenticator.js";
import type { OperationText } from "./operation-cache.js";

export interface OperationRequest extends OperationText {
  variables?: Record<string, unknown> | null | undefined;
}

export interface Operations {
  /** Returns the arguments for the execution, or the errors that prevent it. */
  prepare(
    session: Session,
    request: OperationRequest,
    named: { requestId: string; log: () => Logger },
  ): Promise<ExecutionArgs | readonly GraphQLError[]>;
}

export interface OperationsOptions {
  schema: GraphQLSchema;
  services: Services;
  introspection: boolean;
  production: boolean;
}

/** Applies the same checks and limits as Apollo to operations on sockets and streams. */
export function createOperations(options: OperationsOptions): Operations {
  const { schema, services } = options;
  const checker = createDocumentChecker(schema, options);
  const exceeds = createVariablesChecker(schema);

  return {
    async prepare(session, { query, operationName, variables }, named) {
      const document = checker.check(query);
      if (!("kind" in document)) return document;
      const operation = getOperationAST(document, operationName);
      if (!operation) return [noOperation(operationName)];
      const excess = exceeds(document, operation, variables);
      if (excess) return [excess];
      try {
        const user = await session.refresh();
        // Check before the stream is opened: the client then receives an error instead of a result.
        if (operation.operation === OperationTypeNode.SUBSCRIPTION)
          services.feed.assertRoom(user.id);
        const contextValue = createContext(services, { ...named, user });
        return {
          schema,
          document,
          contextValue,
          ...(operationName != null && { operationName }),
          ...(variables != null && { variableValues: variables }),
        };
      } catch (error) {
        return [asGraphQLError(error)];
      }
    },
  };
}

/** Uses Apollo's texts, so that the error is the same as over HTTP. */
function noOperation(name: string | null | undefined): GraphQLError {
  return new GraphQLError(
    name
      ? `Unknown operation named "${name}".`
      : "Must provide operation name if query contains multiple operations.",
    { extensions: { code: "GRAPHQL_VALIDATION_FAILED" } },
  );
}
