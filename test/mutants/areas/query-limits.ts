import type { Mutant } from "../mutant.js";

const RULES = ["graphql/limits/", "security/documents.test"];
const BUDGET = ["graphql/limits/answer-budget"];
const READS = ["services/reads/queued-job-reads.test"];

/** What one operation may ask, through every door. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a list that no argument bounds counts as one row",
    file: "src/graphql/limits/measure-operation.ts",
    find: "asked ?? rows ?? maxItemsOf(field)",
    replace: "asked ?? rows ?? 1",
    tests: RULES,
  },
  {
    breaks: "a history may lie below another",
    file: "src/graphql/limits/limit-rule.ts",
    find: '["history", found.history, LIMITS.history,',
    replace: '["history", 0, LIMITS.history,',
    tests: RULES,
  },
  {
    breaks: "a name in the answer may have any length",
    file: "src/graphql/limits/measure-operation.ts",
    find: "Math.floor((alias ?? name).value.length / NAME_LENGTH)",
    replace: "0 * NAME_LENGTH * Number(alias === name)",
    tests: RULES,
  },
  {
    breaks: "an answer may have any number of rows",
    file: "src/graphql/limits/answer-budget.ts",
    find: "if (this.#rows < 0 || this.#nodes < 0)",
    replace: "if (false)",
    tests: BUDGET,
  },
  {
    breaks: "an answer may have any length",
    file: "src/graphql/limits/answer-budget.ts",
    find: "if (this.#bytes < 0 || this.#values < 0)",
    replace: "if (false)",
    tests: BUDGET,
  },
  {
    breaks: "photos of QueuedJobs are not counted for an answer",
    file: "src/graphql/queued-job/queued-job.resolver.ts",
    find: "context.budget.takeNodes(photos.length);",
    replace: "",
    tests: BUDGET,
  },
  {
    breaks: "JSON values are not counted for an answer",
    file: "src/graphql/schema.ts",
    find: "context.budget.takeValue(value);",
    replace: "void context;",
    tests: ["graphql/limits/answer-budget/values.test"],
  },
  {
    breaks: "events on a socket share one budget",
    file: "src/server/graphql/websocket/shared-results.ts",
    find: "const renewed = () => renewContext(args.contextValue as Context);",
    replace: "const renewed = () => args.contextValue ?? renewContext;",
    tests: BUDGET,
  },
  {
    breaks: "events of a stream over HTTP share one budget",
    file: "src/server/graphql/execute.ts",
    find: "contextValue: renewContext(args.contextValue as Context)",
    replace: "contextValue: args.contextValue ?? renewContext",
    tests: BUDGET,
  },
  {
    breaks: "what is executed again counts twice",
    file: "src/server/graphql/known-answers.ts",
    find: "if (!contextValue.budget.isExceeded) contextValue.budget = new AnswerBudget();",
    replace: "void AnswerBudget;",
    tests: BUDGET,
  },
  {
    breaks: "one statement is asked for any number of ids",
    file: "src/graphql/loaders.ts",
    find: "{ maxBatchSize: MAX_BATCH, cacheKeyFn: keyOf }",
    replace: "{ cacheKeyFn: keyOf }",
    tests: ["graphql/loaders.test"],
  },
  {
    breaks: "an id is asked for as often as it is in the answer",
    file: "src/graphql/loaders.ts",
    find: "{ maxBatchSize: MAX_BATCH, cacheKeyFn: keyOf }",
    replace: "{ maxBatchSize: MAX_BATCH, cache: false, cacheKeyFn: keyOf }",
    tests: ["graphql/loaders.test"],
  },
  {
    breaks: "what was loaded once is told after it was changed",
    file: "src/graphql/loaders.ts",
    find: "made.clearAll();",
    replace: "",
    tests: ["graphql/loaders.test"],
  },
  {
    breaks: "the lists of many photos are read one by one",
    file: "src/graphql/loaders.ts",
    find: "JSON.stringify([query, shapeOf(scope)])",
    replace: "JSON.stringify([query, scope])",
    tests: ["graphql/loaders.test"],
  },
  {
    breaks: "photos that cannot be read are told as none",
    file: "src/graphql/queued-job/queued-job.resolver.ts",
    find: "await loadersOf(context).photos.load(id);",
    replace: "await loadersOf(context).photos.load(id).catch(() => []);",
    tests: ["graphql/loaders.test"],
  },
  {
    breaks: "a history has all events there are",
    file: "src/services/reads/queued-job-reads.ts",
    find: "order by seq desc limit ${MAX_HISTORY}",
    replace: "order by seq desc limit ${1000 * MAX_HISTORY}",
    tests: READS,
  },
  {
    breaks: "histories are read however long they are",
    file: "src/services/reads/queued-job-reads.ts",
    find: "where b.before <= ${budget.bytesLeft}",
    replace: "where b.before <= 1000 * ${budget.bytesLeft}::float8",
    tests: READS,
  },
  {
    breaks: "a page is read however long it is",
    file: "src/services/reads/list-pages.ts",
    find: "where before <= ${bytesLeft}",
    replace: "where before <= 1000 * ${bytesLeft}::float8",
    tests: READS,
  },
  {
    breaks: "parameters and results are read for lists that do not show them",
    file: "src/graphql/queued-job/list-queued-jobs.ts",
    find: 'return names.every((name) => STATE.includes(name)) ? "state" : "whole";',
    replace: 'return "whole";',
    tests: ["graphql/limits/answer-budget/values.test"],
  },
  {
    breaks: "documents are kept however much memory they take",
    file: "src/graphql/document-checker.ts",
    find: "bytes += TOKEN_BYTES",
    replace: "bytes += TOKEN_BYTES / TOKEN_BYTES",
    tests: ["graphql/document", "server/graphql/known-operations.test"],
  },
];
