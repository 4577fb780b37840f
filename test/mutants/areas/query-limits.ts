import type { Mutant } from "../mutant.js";

const RULES = ["graphql/limits/", "security/documents.test"];

/** What one operation may ask, through every door. */
export const MUTANTS: Mutant[] = [
  { breaks: "an operation may be of any depth", file: "src/graphql/limits/limit-rule.ts", find: '["depth", found.depth, LIMITS.depth,', replace: '["depth", 0, LIMITS.depth,', tests: RULES },
  { breaks: "an operation may have any number of aliases", file: "src/graphql/limits/limit-rule.ts", find: '["aliases", found.aliases, LIMITS.aliases,', replace: '["aliases", 0, LIMITS.aliases,', tests: RULES },
  { breaks: "an operation may have any number of fields at its root", file: "src/graphql/limits/limit-rule.ts", find: '["rootFields", found.rootFields, rootFields,', replace: '["rootFields", 0, rootFields,', tests: RULES },
  { breaks: "a mutation may have as many fields at its root as a query", file: "src/graphql/limits/limit-rule.ts", find: 'operation === "mutation" ? LIMITS.rootFieldsOfMutation : LIMITS.rootFields', replace: "LIMITS.rootFields", tests: RULES },
  { breaks: "a fragment bomb is looked at to its end", file: "src/graphql/limits/measure-operation.ts", find: "if (++measure.selections > LIMITS.selections) return;", replace: "if (++measure.selections > 200 * LIMITS.selections) return;", tests: RULES },
  { breaks: "a bomb of fragments is no fault", file: "src/graphql/limits/limit-rule.ts", find: '["selections", found.selections, LIMITS.selections,', replace: '["selections", 0, LIMITS.selections,', tests: RULES },
  { breaks: "a document may have any number of directives", file: "src/graphql/limits/limit-rule.ts", find: "++directives === LIMITS.directives + 1", replace: "++directives < 0", tests: RULES },
  { breaks: "a value in a document may be of any depth", file: "src/graphql/limits/limit-rule.ts", find: "++valueDepth === LIMITS.valueDepth + 1", replace: "++valueDepth < 0", tests: RULES },
  { breaks: "variables may be of any depth", file: "src/graphql/limits/variables-checker.ts", find: "if (isDeeper(variables, LIMITS.valueDepth))", replace: "if (false)", tests: RULES },
  { breaks: "an operation may cost what it likes", file: "src/graphql/limits/variables-checker.ts", find: "return cost > LIMITS.cost ?", replace: "return cost > 1e12 ?", tests: RULES },
  { breaks: "first does not make a list cost more", file: "src/graphql/limits/measure-operation.ts", find: "times: times * length", replace: "times", tests: RULES },
  { breaks: "first in a variable is not looked at", file: "src/graphql/limits/variables-checker.ts", find: "measureOperation(schema, document, operation, rowsWith(coerced))", replace: "measureOperation(schema, document, operation, () => null)", tests: RULES },
  { breaks: "fragments are not expanded when depth is counted", file: "src/graphql/limits/measure-operation.ts", find: "walk(fragment.selectionSet, typed(place, fragment.typeCondition.name.value));", replace: "walk(fragment.selectionSet, { ...typed(place, fragment.typeCondition.name.value), depth: 1 });", tests: RULES },
  { breaks: "over HTTP a document may have any number of tokens", file: "src/server/graphql-endpoint.ts", find: "parseOptions: { maxTokens: LIMITS.tokens },", replace: "", tests: ["server/graphql-endpoint.test"] },
  { breaks: "over the socket a document may have any number of tokens", file: "src/graphql/document-checker.ts", find: "parse(text, { maxTokens: LIMITS.tokens })", replace: "parse(text)", tests: ["graphql/document-checker.test", "security/documents.test"] },
  { breaks: "over HTTP the limits of a document's shape do not hold", file: "src/server/graphql-endpoint.ts", find: "validationRules: [limitRule],", replace: "", tests: ["server/graphql-endpoint.test", "security/documents.test"] },
  { breaks: "over the socket the limits of a document's shape do not hold", file: "src/graphql/document-checker.ts", find: "[...specifiedRules, limitRule, ", replace: "[...specifiedRules, ", tests: ["graphql/document-checker.test", "security/documents.test"] },
  { breaks: "over HTTP the limits of variables do not hold", file: "src/server/apollo-plugin.ts", find: "const error = exceeds(document, operation, variables);", replace: "const error = exceeds(document, operation, null);", tests: ["server/graphql-endpoint.test"] },
  { breaks: "over HTTP the limits of variables do not hold for an operation that was answered before", file: "src/server/known-answers.ts", find: " || exceeds(operation.document, operation.operation, asked.variables)", replace: " || void exceeds", tests: ["server/known-answers.test"] },
  { breaks: "over the socket the limits of variables do not hold", file: "src/server/operations.ts", find: "if (excess) return [excess];", replace: "", tests: ["security/documents.test"] },
  { breaks: "over the socket a document that overflows the parser's stack closes the socket", file: "src/graphql/document-checker.ts", find: 'return error instanceof GraphQLError ? withCode(error, "GRAPHQL_PARSE_FAILED") : new GraphQLError("The document cannot be parsed.", { extensions: { code: "GRAPHQL_PARSE_FAILED" } });', replace: 'if (error instanceof GraphQLError) return withCode(error, "GRAPHQL_PARSE_FAILED"); throw error;', tests: ["graphql/document-checker.test", "security/documents.test"] },
  { breaks: "over HTTP the schema may be asked for in production", file: "src/server/graphql-endpoint.ts", find: "introspection: options.introspection,", replace: "introspection: true,", tests: ["server/graphql-endpoint.test", "security/documents.test"] },
  { breaks: "over the socket the schema may be asked for in production", file: "src/graphql/document-checker.ts", find: "...(options.introspection ? [] : [NoSchemaIntrospectionCustomRule])", replace: "", tests: ["graphql/document-checker.test", "security/documents.test"] },
  { breaks: "batches are taken", file: "src/server/graphql-endpoint.ts", find: "persistedQueries: false,", replace: "persistedQueries: false, allowBatchedHttpRequests: true,", tests: ["server/graphql-endpoint.test"] },
  { breaks: "queries are kept for whoever asks", file: "src/server/graphql-endpoint.ts", find: "persistedQueries: false,", replace: "", tests: ["server/graphql-endpoint.test"] },
  { breaks: "all faults of a document are told at once", file: "src/server/graphql-endpoint.ts", find: "validationOptions: { maxErrors: MAX_ERRORS },", replace: "", tests: ["server/graphql-endpoint.test"] },
  { breaks: "a body may have a megabyte", file: "src/server/graphql-endpoint.ts", find: "bodyLimit: LIMITS.bytes", replace: "bodyLimit: 1024 * 1024", tests: ["server/graphql-endpoint.test"] },
  { breaks: "first may be any number", file: "src/graphql/paging/page-request.ts", find: "if (first < 1 || first > MOST_ROWS)", replace: "if (false)", tests: ["security/documents.test"] },
  { breaks: "over HTTP an operation may take as long as it likes", file: "src/server/graphql-endpoint.ts", find: "withDeadline(answered, options.operationMs, late)", replace: "(void late, answered())", tests: ["server/execute-in-time.test"] },
  { breaks: "over sockets and streams an operation may take as long as it likes", file: "src/server/execute-in-time.ts", find: "withDeadline(async () => execute(args), ms,", replace: "withDeadline(async () => execute(args), 1e6 * ms,", tests: ["server/execute-in-time.test"] },
  { breaks: "what several wait for ends with the deadline of one", file: "src/services/jobs.ts", find: "withoutDeadline(read)", replace: "(void withoutDeadline, read())", tests: ["server/execute-in-time.test"] },
];
