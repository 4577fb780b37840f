import { getIntrospectionQuery } from "graphql";
import { TOO_MUCH } from "./excessive-documents.js";
import { INPUT, NONE, PARSE, times, VALIDATION, type HostileDocument } from "./hostile-document.js";
import { VALUES } from "./hostile-values.js";

const BROKEN: HostileDocument[] = [
  {
    what: "20,000 open brackets",
    query: `{ a${"{a".repeat(20_000)}`,
    codes: [...PARSE, ...VALIDATION],
  },
  {
    what: "20,000 brackets in a value",
    query: `{ job(name: ${"[".repeat(20_000)}`,
    codes: [...PARSE, ...VALIDATION],
  },
  {
    what: "1,800 brackets in a value",
    query: `{ job(name: ${"[".repeat(900)}${"]".repeat(900)}) { id } }`,
    codes: [...PARSE, ...VALIDATION],
  },
  {
    what: "types nested 900 levels deep",
    query: `query ($a: ${"[".repeat(900)}Int${"]".repeat(900)}) { me { id } }`,
    codes: [...PARSE, ...VALIDATION],
  },
  { what: "a string without an end", query: '{ job(name: "x', codes: PARSE },
  {
    what: "a string of 200 kB",
    query: `{ job(name: "${"x".repeat(200_000)}") { id } }`,
    codes: [NONE, ...INPUT],
  },
  { what: "a name of 200 kB", query: `{ ${"x".repeat(200_000)} }`, codes: VALIDATION },
  { what: "an empty query", query: "", codes: ["BAD_REQUEST", ...PARSE] },
  { what: "only a comment", query: `# ${"x".repeat(1000)}`, codes: PARSE },
  { what: "a NUL in the middle", query: "{ me \0 { id } }", codes: PARSE },
  { what: "half a surrogate pair", query: "{ me \ud800 { id } }", codes: PARSE },
  {
    what: "half a surrogate pair in a string",
    query: '{ job(name: "\\uD800") { id } }',
    codes: PARSE,
  },
  {
    what: "circular fragments",
    query: "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
    codes: VALIDATION,
  },
  {
    what: "a fragment that spreads itself",
    query: "{ me { ...A } } fragment A on User { id ...A }",
    codes: VALIDATION,
  },
  { what: "an undefined fragment", query: "{ me { ...A } }", codes: VALIDATION },
  {
    what: "an unused fragment",
    query: "{ me { id } } fragment A on User { id }",
    codes: VALIDATION,
  },
  { what: "conflicting fields", query: "{ me { a: id a: email } }", codes: VALIDATION },
  {
    what: "45 fields, of which 30 conflict",
    query: `{ me { ${times(15, (i) => `a: id a: email b${i}: id`)} } }`,
    codes: VALIDATION,
  },
  {
    what: "a type definition",
    query: "type Query { evil: String } { me { id } }",
    codes: VALIDATION,
  },
  {
    what: "a type extension",
    query: "extend type User { evil: String } { me { id } }",
    codes: VALIDATION,
  },
  { what: "an unknown directive", query: "{ me @defer { id } }", codes: VALIDATION },
  {
    what: "two operations with the same name",
    query: "query A { me { id } } query A { me { id } }",
    codes: VALIDATION,
  },
];

const CURIOUS: HostileDocument[] = [
  { what: "__schema", query: "{ __schema { types { name } } }", codes: VALIDATION },
  { what: "__type", query: '{ __type(name: "User") { fields { name } } }', codes: VALIDATION },
  {
    what: "__schema under an alias, in a fragment",
    query: "{ ...F } fragment F on Query { x: __schema { queryType { name } } }",
    codes: VALIDATION,
  },
  {
    what: "the full introspection query of tools",
    query: getIntrospectionQuery(),
    codes: VALIDATION,
  },
  { what: "a misspelled field", query: "{ me { emial } }", codes: VALIDATION },
  { what: "a misspelled argument", query: "{ job(nam: 1) { id } }", codes: VALIDATION },
  {
    what: "a misspelled type",
    query: "{ node(id: 1) { ... on Usr { id } } }",
    codes: VALIDATION,
  },
  {
    what: "a misspelled enum value",
    query: "{ queuedJobs(filter: { status: [SUCCES] }) { totalCount } }",
    codes: VALIDATION,
  },
  {
    what: "a misspelled enum value in a variable",
    query: "query ($s: [QueuedJobStatus!]) { queuedJobs(filter: { status: $s }) { totalCount } }",
    variables: { s: ["SUCCES"] },
    codes: INPUT,
  },
  {
    what: "a misspelled input field",
    query: "{ queuedJobs(filter: { statuss: [SUCCESS] }) { totalCount } }",
    codes: VALIDATION,
  },
  {
    what: "the schema query of Apollo Federation",
    query: "{ _service { sdl } }",
    codes: VALIDATION,
  },
  {
    what: "the entities query of Apollo Federation",
    query: "{ _entities(representations: []) { id } }",
    codes: VALIDATION,
  },
];

export const HOSTILE_DOCUMENTS: HostileDocument[] = [...TOO_MUCH, ...BROKEN, ...CURIOUS, ...VALUES];
