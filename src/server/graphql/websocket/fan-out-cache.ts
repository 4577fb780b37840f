import {
  Kind,
  execute,
  getOperationAST,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFormattedError,
} from "graphql";
import type { ToldEvent } from "../../../events/subscription.js";
import { renewContext, type Context } from "../../../graphql/context.js";
import type { QueuedJobEvent } from "../../../domain/queued-job.js";
import { asGraphQLError } from "../errors.js";
import type { OperationCompiler } from "../operation-compiler.js";

/** What events look like to one subscription. */
export interface FanOutResult {
  /** The event's result as JSON, errors masked; the same bytes for all who share it. */
  textOf(told: ToldEvent): Buffer | Promise<Buffer>;
  /** The subscription is over. */
  leave(): void;
}

export interface FanOutCache {
  /** `args` of a subscription, as they would be executed for each event. */
  join(args: ExecutionArgs): FanOutResult;
}

/** Those who see the same. */
interface Audience {
  args: ExecutionArgs;
  members: number;
  made: WeakMap<QueuedJobEvent, Made>;
}

interface Made {
  text: Buffer | Promise<Buffer>;
  cursorSeq: number;
  at: number;
}

/**
 * Some fields are of the moment when an event is told (URLs, places in line): who comes later gets
 * his own.
 */
const SHARED_MS = 1000;

/** As clients are told them. */
type MaskErrors = (errors: readonly GraphQLError[], args: ExecutionArgs) => GraphQLFormattedError[];

/**
 * An event is executed and written down once for all subscriptions of the same document, variables
 * and owner, which is what a fan-out to many costs otherwise.
 */
export function createFanOutCache(compiled: OperationCompiler, mask: MaskErrors): FanOutCache {
  const audiences = new Map<DocumentNode, Map<string, Audience>>();

  function textOf(audience: Audience, told: ToldEvent): Buffer | Promise<Buffer> {
    const { args, members, made } = audience;
    if (members === 1) return makeText(args, told, compiled, mask);
    const known = made.get(told.event);
    if (known && known.cursorSeq === told.cursorSeq && Date.now() - known.at < SHARED_MS)
      return known.text;
    const text = makeText(args, told, compiled, mask);
    const fresh: Made = { text, cursorSeq: told.cursorSeq, at: Date.now() };
    made.set(told.event, fresh);
    if (text instanceof Promise) void text.then((ready) => (fresh.text = ready));
    return text;
  }

  return {
    join(args) {
      const key = keyOf(args);
      const ofDocument = audiences.get(args.document) ?? new Map<string, Audience>();
      const audience = ofDocument.get(key) ?? {
        args: { ...args },
        members: 0,
        made: new WeakMap(),
      };
      audiences.set(args.document, ofDocument.set(key, audience));
      audience.members++;
      let left = false;
      return {
        textOf: (told) => textOf(audience, told),
        leave() {
          if (left) return;
          left = true;
          if (--audience.members === 0) ofDocument.delete(key);
          if (ofDocument.size === 0 && audiences.get(args.document) === ofDocument)
            audiences.delete(args.document);
        },
      };
    },
  };
}

function makeText(
  args: ExecutionArgs,
  told: ToldEvent,
  compiled: OperationCompiler,
  mask: MaskErrors,
): Buffer | Promise<Buffer> {
  const toText = (result: ExecutionResult) =>
    Buffer.from(
      JSON.stringify(result.errors ? { ...result, errors: mask(result.errors, args) } : result),
    );
  const broken = (error: unknown) => toText({ errors: [asGraphQLError(error)] });
  try {
    const result = executeFor(args, told, compiled);
    return "then" in result ? Promise.resolve(result).then(toText).catch(broken) : toText(result);
  } catch (error) {
    return broken(error);
  }
}

function executeFor(
  args: ExecutionArgs,
  told: ToldEvent,
  compiled: OperationCompiler,
): ExecutionResult | PromiseLike<ExecutionResult> {
  const renewed = () => renewContext(args.contextValue as Context);
  const plain = () => execute({ ...args, rootValue: told, contextValue: renewed() });
  const fast = compiled(args.document, args.operationName);
  if (!fast) return plain();
  const result = fast(told, renewed(), args.variableValues ?? {}) as
    ExecutionResult | Promise<ExecutionResult>;
  // The last word on errors has graphql-js.
  const checked = (ended: ExecutionResult) => (ended.errors ? plain() : ended);
  return "then" in result ? result.then(checked) : checked(result);
}

/** Equal where the results are. */
function keyOf({
  document,
  operationName,
  variableValues = {},
  contextValue,
}: ExecutionArgs): string {
  const { user } = contextValue as Context;
  // That a variable is not given is something else than null.
  const values = variablesWithin(document, operationName).map((name) =>
    name in (variableValues ?? {}) ? [variableValues?.[name]] : [],
  );
  return JSON.stringify([operationName ?? null, user, values]);
}

const withinDocument = new WeakMap<DocumentNode, Map<string, string[]>>();

/**
 * The variables on which a result may depend: all but those that are used by the arguments of the
 * stream alone, which choose its events and do not change what they look like. Whoever resumes has
 * a cursor of their own.
 */
function variablesWithin(
  document: DocumentNode,
  operationName: string | null | undefined,
): string[] {
  const known = withinDocument.get(document) ?? new Map<string, string[]>();
  withinDocument.set(document, known);
  const names = known.get(operationName ?? "") ?? findVariables(document, operationName);
  known.set(operationName ?? "", names);
  return names;
}

function findVariables(document: DocumentNode, operationName: string | null | undefined): string[] {
  const streams = new Set<unknown>(
    getOperationAST(document, operationName)?.selectionSet.selections,
  );
  const names = new Set<string>();
  visit(document, {
    [Kind.VARIABLE_DEFINITION]: () => false,
    [Kind.ARGUMENT]: (_node, _key, _parent, _path, ancestors) =>
      streams.has(ancestors.at(-1)) ? false : undefined,
    [Kind.VARIABLE]: ({ name }) => void names.add(name.value),
  });
  return [...names].toSorted();
}
