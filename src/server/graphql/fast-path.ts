import type { FastifyReply, FastifyRequest } from "fastify";
import { GraphQLError, execute, type ExecutionResult, type GraphQLSchema } from "graphql";
import type { Context } from "../../graphql/context.js";
import { AnswerBudget } from "../../graphql/limits/answer-budget.js";
import type { VariablesChecker } from "../../graphql/limits/variables-checker.js";
import type { ErrorReporter } from "./errors.js";
import { statusOfResult } from "../http/errors.js";
import type { CachedOperation, OperationCache } from "./operation-cache.js";
import type { OperationCompiler } from "./operation-compiler.js";
import type { OperationRequest } from "./operations.js";

export interface FastPathOptions {
  schema: GraphQLSchema;
  known: OperationCache;
  compiled: OperationCompiler;
  exceeds: VariablesChecker;
  contextOf(request: FastifyRequest): Promise<Context>;
  reporter: ErrorReporter;
}

type Variables = Record<string, unknown>;

/** Spellings of `accept` that are remembered for an operation. */
const MAX_MEDIA_TYPES = 10;
const MAX_CHARACTERS = 200;

/**
 * Answers operations that were answered before, to whoever accepts the same: without Apollo, and
 * what comes often by compiled code. Whatever is unusual is left to Apollo, so that nobody can tell
 * the difference.
 */
export function createFastPath(options: FastPathOptions) {
  const { known, exceeds, contextOf, reporter } = options;

  return {
    /** Null when it is for Apollo to answer. */
    async answer(request: FastifyRequest, reply: FastifyReply): Promise<string | null> {
      const found = findKnown(request, known);
      const mediaType = found?.operation.mediaTypes.get(request.headers.accept);
      if (!found || mediaType === undefined) return null;
      const { asked, operation } = found;
      const context = await contextOf(request).catch(() => null);
      if (!context || exceeds(operation.document, operation.operation, asked.variables))
        return null;
      const result = await run(operation, asked.variables ?? {}, context, options);
      // Variables that do not fit.
      if (!result || result.data === undefined) return null;
      void reply.headers({ "content-type": mediaType, "cache-control": "no-store" });
      const { data, errors } = result;
      if (!errors) return `${JSON.stringify({ data })}\n`;
      const operationName = operation.operation.name?.value;
      const told = reporter.tell(errors, context.log, { operationName });
      void reply.code(statusOfResult({ data, errors: told }));
      return `${JSON.stringify({ errors: told, data })}\n`;
    },

    /** How Apollo has answered it. */
    learn<T>(request: FastifyRequest, reply: FastifyReply, answer: T): T {
      const { accept } = request.headers;
      const mediaTypes = findKnown(request, known)?.operation.mediaTypes;
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

function findKnown(
  request: FastifyRequest,
  known: OperationCache,
): { asked: OperationRequest; operation: CachedOperation } | null {
  const asked = request.method === "POST" ? toOperationRequest(request.body) : null;
  const operation = asked && known.find(asked);
  return operation ? { asked, operation } : null;
}

/** Null of what does not get as far as the resolvers: it is told by Apollo. */
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
    return { ...result, errors: result.errors.map(asGraphqlJsTells) };
  // The last word on errors has graphql-js, where to ask again does no harm: as if it had not been
  // asked, or at once, where it asks too much.
  if (!contextValue.budget.isExceeded) contextValue.budget = new AnswerBudget();
  return null;
}

/** The compiler's own errors lack what those of graphql-js have. */
function asGraphqlJsTells({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  return Object.assign(new GraphQLError(message, { path, originalError }), { locations });
}

/** The body of a plain operation; null of what says more than that, or is no such thing. */
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
