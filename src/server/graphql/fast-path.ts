import type { FastifyReply, FastifyRequest } from "fastify";
import {
  GraphQLError,
  execute,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import { withWarnings, type Context } from "../../graphql/context.js";
import { AnswerBudget } from "../../graphql/limits/answer-budget.js";
import type { VariablesChecker } from "../../graphql/limits/variables-checker.js";
import type { ErrorReporter } from "./errors.js";
import { statusOfResult } from "../http/errors.js";
import type { CachedOperation, OperationCache } from "./operation-cache.js";
import type { OperationCompiler } from "./operation-compiler.js";
import type { OperationRequest } from "./operations.js";

export interface FastPathOptions {
  schema: GraphQLSchema;
  cache: OperationCache;
  compiled: OperationCompiler;
  exceeds: VariablesChecker;
  contextOf(request: FastifyRequest): Promise<Context>;
  reporter: ErrorReporter;
}

type Variables = Record<string, unknown>;

interface Answer extends Pick<ExecutionResult, "data" | "extensions"> {
  errors?: GraphQLFormattedError[];
}

/** Maximum `accept` headers that are remembered per operation, and their maximum length. */
const MAX_MEDIA_TYPES = 10;
const MAX_CHARACTERS = 200;

/**
 * Answers operations without Apollo that Apollo has answered before for the same `accept` header.
 * Frequent ones run as compiled code. Everything unusual is left to Apollo, so that clients see no
 * difference.
 */
export function createFastPath(options: FastPathOptions) {
  const { cache, exceeds, contextOf, reporter } = options;

  return {
    /** Returns null when Apollo must answer. */
    async answer(request: FastifyRequest, reply: FastifyReply): Promise<string | null> {
      const match = findCached(request, cache);
      const mediaType = match?.operation.mediaTypes.get(request.headers.accept);
      if (!match || mediaType === undefined) return null;
      const { operationRequest, operation } = match;
      const { variables } = operationRequest;
      const context = await contextOf(request).catch(() => null);
      if (!context || exceeds(operation.document, operation.operation, variables)) return null;
      const result = await run(operation, variables ?? {}, context, options);
      // Variables of a wrong type.
      if (!result || result.data === undefined) return null;
      void reply.headers({ "content-type": mediaType, "cache-control": "no-store" });
      const { data, errors } = result;
      if (!errors) return `${JSON.stringify(withWarnings<Answer>({ data }, context))}\n`;
      const operationName = operation.operation.name?.value;
      const formatted = reporter.report(errors, context.log, { operationName });
      void reply.code(statusOfResult({ data, errors: formatted }));
      return `${JSON.stringify(withWarnings<Answer>({ errors: formatted, data }, context))}\n`;
    },

    /** Remembers the media type of Apollo's answer. */
    remember<T>(request: FastifyRequest, reply: FastifyReply, answer: T): T {
      const { accept } = request.headers;
      const mediaTypes = findCached(request, cache)?.operation.mediaTypes;
      const mediaType = reply.getHeader("content-type");
      if (
        mediaTypes &&
        reply.statusCode === 200 &&
        typeof mediaType === "string" &&
        mediaTypes.size < MAX_MEDIA_TYPES &&
        (accept ?? "").length <= MAX_CHARACTERS
      )
        mediaTypes.set(accept, mediaType);
      return answer;
    },
  };
}

function findCached(
  request: FastifyRequest,
  cache: OperationCache,
): { operationRequest: OperationRequest; operation: CachedOperation } | null {
  const operationRequest = request.method === "POST" ? toOperationRequest(request.body) : null;
  const operation = operationRequest && cache.find(operationRequest);
  return operation ? { operationRequest, operation } : null;
}

/** Returns null for an operation that does not reach the resolvers: Apollo answers it. */
async function run(
  { document, operation }: CachedOperation,
  variableValues: Variables,
  contextValue: Context,
  { schema, compiled }: Pick<FastPathOptions, "schema" | "compiled">,
): Promise<ExecutionResult | null> {
  const operationName = operation.name?.value;
  const fast = compiled(document, operationName);
  if (!fast)
    return execute({
      schema,
      document,
      contextValue,
      variableValues,
      ...(operationName !== undefined && { operationName }),
    });
  const result = (await fast(undefined, contextValue, variableValues)) as ExecutionResult;
  if (!result.errors) return result;
  if (operation.operation !== "query")
    return { ...result, errors: result.errors.map(completeError) };
  // A query is safe to repeat, so graphql-js executes it again and produces the errors. It gets a
  // new budget. An exceeded budget is kept, so that the second execution fails at once.
  if (!contextValue.budget.isExceeded) contextValue.budget = new AnswerBudget();
  return null;
}

/** Adds the fields that the compiler's errors lack compared with those of graphql-js. */
function completeError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError }), { locations });
}

/** Returns null for a body that is not a plain operation, for example one with extensions. */
function toOperationRequest(body: unknown): OperationRequest | null {
  if (!isRecord(body)) return null;
  const { query, operationName, variables, extensions } = body;
  const isPlain =
    typeof query === "string" &&
    (operationName == null || typeof operationName === "string") &&
    (variables == null || isRecord(variables)) &&
    extensions == null;
  return isPlain ? { query, operationName, variables } : null;
}

function isRecord(value: unknown): value is Variables {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
