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
import type { DeliveredEvent } from "../../../events/subscription.js";
import { renewContext, withWarnings, type Context } from "../../../graphql/context.js";
import type { UserEvent } from "../../../domain/photo-event.js";
import { asGraphQLError } from "../errors.js";
import type { OperationCompiler } from "../operation-compiler.js";

/** The results of events for one subscription. */
export interface FanOutResult {
  /** Returns the event's result as JSON with masked errors. Equal subscriptions share the bytes. */
  textOf(published: DeliveredEvent<UserEvent>): Buffer | Promise<Buffer>;
  /** Call when the subscription ends. */
  leave(): void;
}

export interface FanOutCache {
  /** `args` are the execution arguments for each event of the subscription. */
  join(args: ExecutionArgs): FanOutResult;
}

/** Subscriptions with equal results. */
interface Audience {
  args: ExecutionArgs;
  members: number;
  entries: WeakMap<UserEvent, CacheEntry>;
}

interface CacheEntry {
  text: Buffer | Promise<Buffer>;
  cursorSeq: number;
  at: number;
}

/**
 * Maximum age of a shared result. Some fields depend on the time, for example URLs and queue
 * positions.
 */
const SHARED_MS = 1000;

type MaskErrors = (errors: readonly GraphQLError[], args: ExecutionArgs) => GraphQLFormattedError[];

/**
 * Executes and serializes an event once for all subscriptions with the same document, variables and
 * owner. Without this, most of the cost of a fan-out is repeated for each subscription.
 */
export function createFanOutCache(compiled: OperationCompiler, mask: MaskErrors): FanOutCache {
  const audiences = new Map<DocumentNode, Map<string, Audience>>();

  function textOf(
    audience: Audience,
    published: DeliveredEvent<UserEvent>,
  ): Buffer | Promise<Buffer> {
    const { args, members, entries } = audience;
    if (members === 1) return createText(args, published, compiled, mask);
    const { event, cursorSeq } = published;
    const cached = entries.get(event);
    if (cached && cached.cursorSeq === cursorSeq && Date.now() - cached.at < SHARED_MS)
      return cached.text;
    const text = createText(args, published, compiled, mask);
    const entry: CacheEntry = { text, cursorSeq, at: Date.now() };
    entries.set(event, entry);
    if (text instanceof Promise) void text.then((ready) => (entry.text = ready));
    return text;
  }

  return {
    join(args) {
      const key = keyOf(args);
      const ofDocument = audiences.get(args.document) ?? new Map<string, Audience>();
      const audience = ofDocument.get(key) ?? {
        args: { ...args },
        members: 0,
        entries: new WeakMap(),
      };
      audiences.set(args.document, ofDocument.set(key, audience));
      audience.members++;
      let left = false;
      return {
        textOf: (published) => textOf(audience, published),
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

function createText(
  args: ExecutionArgs,
  published: DeliveredEvent<UserEvent>,
  compiled: OperationCompiler,
  mask: MaskErrors,
): Buffer | Promise<Buffer> {
  const toText = (result: ExecutionResult) =>
    Buffer.from(
      JSON.stringify(result.errors ? { ...result, errors: mask(result.errors, args) } : result),
    );
  const toErrorText = (error: unknown) => toText({ errors: [asGraphQLError(error)] });
  try {
    const result = executeFor(args, published, compiled);
    return "then" in result
      ? Promise.resolve(result).then(toText).catch(toErrorText)
      : toText(result);
  } catch (error) {
    return toErrorText(error);
  }
}

function executeFor(
  args: ExecutionArgs,
  published: DeliveredEvent<UserEvent>,
  compiled: OperationCompiler,
): ExecutionResult | PromiseLike<ExecutionResult> {
  const context = renewContext(args.contextValue as Context);
  const plain = (contextValue: Context) => {
    const result = execute({ ...args, rootValue: published, contextValue });
    const warned = (ended: ExecutionResult) => withWarnings(ended, contextValue);
    return "then" in result ? Promise.resolve(result).then(warned) : warned(result);
  };
  const fast = compiled(args.document, args.operationName);
  if (!fast) return plain(context);
  const result = fast(published, context, args.variableValues ?? {}) as
    ExecutionResult | Promise<ExecutionResult>;
  // On errors, execute again with graphql-js, whose errors are complete.
  const checked = (ended: ExecutionResult) =>
    ended.errors ? plain(renewContext(context)) : withWarnings(ended, context);
  return "then" in result ? result.then(checked) : checked(result);
}

/** Returns the same key for subscriptions with equal results. */
function keyOf({
  document,
  operationName,
  variableValues = {},
  contextValue,
}: ExecutionArgs): string {
  const { user } = contextValue as Context;
  // An omitted variable differs from null.
  const values = variablesWithin(document, operationName).map((name) =>
    name in (variableValues ?? {}) ? [variableValues?.[name]] : [],
  );
  return JSON.stringify([operationName ?? null, user, values]);
}

const withinDocument = new WeakMap<DocumentNode, Map<string, string[]>>();

/**
 * Returns the variables on which a result can depend. Variables that occur only in the arguments of
 * the subscription field are excluded, since they select events but do not change results. For
 * example, each resumed subscription has a different cursor.
 */
function variablesWithin(
  document: DocumentNode,
  operationName: string | null | undefined,
): string[] {
  const byOperation = withinDocument.get(document) ?? new Map<string, string[]>();
  withinDocument.set(document, byOperation);
  const names = byOperation.get(operationName ?? "") ?? findVariables(document, operationName);
  byOperation.set(operationName ?? "", names);
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
