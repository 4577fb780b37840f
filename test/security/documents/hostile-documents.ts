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
    what: "1,500 brackets in a value",
    query: `{ job(name: ${"[".repeat(900)}${"]".repeat(900)}) { id } }`,
    codes: [...PARSE, ...VALIDATION],
  },
  {
    what: "types nested a thousand deep",
    query: `query ($a: ${"[".repeat(900)}Int${"]".repeat(900)}) { me { id } }`,
    codes: [...PARSE, ...VALIDATION],
  },
  { what: "a text without an end", query: '{ job(name: "x', codes: PARSE },
  {
    what: "a text of 200 kB",
    query: `{ job(name: "${"x".repeat(200_000)}") { id } }`,
    codes: [NONE, ...INPUT],
  },
  { what: "a name of 200 kB", query: `{ ${"x".repeat(200_000)} }`, codes: VALIDATION },
  { what: "nothing", query: "", codes: ["BAD_REQUEST", ...PARSE] },
  { what: "nothing but a comment", query: `# ${"x".repeat(1000)}`, codes: PARSE },
  { what: "NUL in its middle", query: "{ me \0 { id } }", codes: PARSE },
  { what: "half a surrogate pair", query: "{ me \ud800 { id } }", codes: PARSE },
  {
    what: "half a surrogate pair in a text",
    query: '{ job(name: "\\uD800") { id } }',
    codes: PARSE,
  },
  {
    what: "fragments in a circle",
    query: "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
    codes: VALIDATION,
  },
  {
    what: "a fragment that spreads itself",
    query: "{ me { ...A } } fragment A on User { id ...A }",
    codes: VALIDATION,
  },
  { what: "a fragment that is nowhere", query: "{ me { ...A } }", codes: VALIDATION },
  {
    what: "a fragment that nobody uses",
    query: "{ me { id } } fragment A on User { id }",
    codes: VALIDATION,
  },
  { what: "fields in conflict", query: "{ me { a: id a: email } }", codes: VALIDATION },
  {
    what: "a hundred fields in conflict",
    query: `{ me { ${times(15, (i) => `a: id a: email b${i}: id`)} } }`,
    codes: VALIDATION,
  },
  {
    what: "a definition of a type",
    query: "type Query { evil: String } { me { id } }",
    codes: VALIDATION,
  },
  {
    what: "an extension of a type",
    query: "extend type User { evil: String } { me { id } }",
    codes: VALIDATION,
  },
  { what: "a directive of its own", query: "{ me @defer { id } }", codes: VALIDATION },
  {
    what: "an operation twice",
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
  { what: "the whole introspection of tools", query: getIntrospectionQuery(), codes: VALIDATION },
  { what: "a field that is nearly one", query: "{ me { emial } }", codes: VALIDATION },
  { what: "an argument that is nearly one", query: "{ job(nam: 1) { id } }", codes: VALIDATION },
  {
    what: "a type that is nearly one",
    query: "{ node(id: 1) { ... on Usr { id } } }",
    codes: VALIDATION,
  },
  {
    what: "a value that is nearly one of an enum",
    query: "{ queuedJobs(filter: { status: [SUCCES] }) { totalCount } }",
    codes: VALIDATION,
  },
  {
    what: "a value that is nearly one of an enum, by a variable",
    query: "query ($s: [QueuedJobStatus!]) { queuedJobs(filter: { status: $s }) { totalCount } }",
    variables: { s: ["SUCCES"] },
    codes: INPUT,
  },
  {
    what: "an input that is nearly one",
    query: "{ queuedJobs(filter: { statuss: [SUCCESS] }) { totalCount } }",
    codes: VALIDATION,
  },
  { what: "Apollo's federation", query: "{ _service { sdl } }", codes: VALIDATION },
  {
    what: "entities of Apollo's federation",
    query: "{ _entities(representations: []) { id } }",
    codes: VALIDATION,
  },
];

export const HOSTILE_DOCUMENTS: HostileDocument[] = [...TOO_MUCH, ...BROKEN, ...CURIOUS, ...VALUES];
