import { getIntrospectionQuery } from "graphql";

export interface HostileDocument {
  what: string;
  query: string;
  /** As JSON where nothing would write it. */
  variables?: unknown;
  /**
   * A code that it may be refused with; NONE: it may as well be answered, as long as nothing is
   * told that should not be.
   */
  codes: string[];
  /** The limit that it exceeds, which the refusal names. */
  limit?: string;
}

const VALIDATION = ["GRAPHQL_VALIDATION_FAILED"];
const PARSE = ["GRAPHQL_PARSE_FAILED"];
const INPUT = ["BAD_USER_INPUT"];
export const NONE = "none";

const times = (count: number, make: (i: number) => string, by = " ") =>
  Array.from({ length: count }, (_, i) => make(i)).join(by);
/** `a { b { c } }` of any depth. */
const nested = (levels: string[], leaf: string) =>
  `{ ${levels.join(" { ")} { ${leaf} ${"} ".repeat(levels.length)}}`;
const loop = (rounds: number) =>
  nested(
    [
      "me",
      ...Array.from({ length: rounds }, () => ["queuedJobs(first: 1)", "nodes", "user"]).flat(),
    ],
    "id",
  );
/** Of a user's QueuedJobs, three within each other. */
const pages = (first: string) =>
  nested(
    [
      "me",
      ...Array.from({ length: 3 }, (_, i) => [
        ...(i > 0 ? ["user"] : []),
        `queuedJobs(first: ${first})`,
        "nodes",
      ]).flat(),
    ],
    "id",
  ).slice(2, -2);
const bomb = (doublings: number) =>
  "{ me { ...F0 } } " +
  `${times(doublings, (i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`)} ` +
  `fragment F${doublings} on User { id }`;
const enqueue = "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }";
const submit = (input: unknown) => ({ query: enqueue, variables: { input } });
const deep = (levels: number) =>
  JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as unknown;

/** What is too much, of each that is bounded. */
const TOO_MUCH: HostileDocument[] = [
  {
    what: "hundreds of aliases of one field",
    query: `{ ${times(450, (i) => `a${i}: __typename`)} }`,
    codes: [...VALIDATION, ...PARSE],
    limit: "aliases",
  },
  {
    what: "31 aliases",
    query: `{ ${times(31, (i) => `a${i}: __typename`)} }`,
    codes: VALIDATION,
    limit: "aliases",
  },
  {
    what: "31 aliases that a fragment brings",
    query:
      `{ me { ${times(4, () => "...F")} } } fragment F on User { ` +
      `${times(8, (i) => `a${i}: id`)} }`,
    codes: VALIDATION,
    limit: "aliases",
  },
  {
    what: "one field 3,000 times",
    query: `{ me { ${"id ".repeat(3000)} } }`,
    codes: [...VALIDATION, ...PARSE],
    limit: "tokens",
  },
  {
    what: "21 fields at its root",
    query: `{ ${times(21, (i) => `a${i}: service { version }`)} }`,
    codes: VALIDATION,
    limit: "rootFields",
  },
  {
    what: "eleven mutations at once",
    query: `mutation { ${times(11, (i) => `a${i}: cancelQueuedJobs`)} }`,
    codes: VALIDATION,
    limit: "rootFields",
  },
  { what: "a loop through users thirteen deep", query: loop(4), codes: VALIDATION, limit: "depth" },
  {
    what: "a loop through users a hundred deep",
    query: loop(33),
    codes: VALIDATION,
    limit: "depth",
  },
  {
    what: "a loop through users that only fragments make deep",
    query:
      "{ me { ...A } } " +
      `${times(
        6,
        (i) =>
          `fragment ${"ABCDEF"[i]} on User { queuedJobs { nodes { user { ` +
          `${i === 5 ? "id" : `...${"ABCDEF"[i + 1]}`} } } } }`,
      )}`,
    codes: VALIDATION,
    limit: "depth",
  },
  {
    what: "21 directives",
    query: `{ me { id ${"@include(if: true) ".repeat(21)} } }`,
    codes: VALIDATION,
  },
  {
    what: "500 directives",
    query: `{ me { ${times(30, () => `id ${"@skip(if: false) ".repeat(12)}`)} } }`,
    codes: [...VALIDATION, ...PARSE],
  },
  {
    what: "pages of a hundred within pages of a hundred within pages",
    query: `{ ${pages("100")} }`,
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "pages of two billion within pages, by a variable",
    query: `query ($n: Int!) { ${pages("$n")} }`,
    variables: { n: 2 ** 31 - 1 },
    codes: [...VALIDATION, ...INPUT],
    limit: "cost",
  },
  {
    what: "pages of a hundred within pages, by a default",
    query: `query ($n: Int = 100) { ${pages("$n")} }`,
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "everybody's photos' jobs' photos",
    query:
      "{ photos(first: 100) { nodes { queuedJobs(first: 100) { nodes { photos { id " +
      "queuedJobs(first: 100) { nodes { id } } } } } } } }",
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "histories of histories of a hundred",
    query:
      "{ queuedJobs(first: 100) { nodes { history { queuedJob { history { queuedJob { " +
      "history { queuedJob { id } } } } } } } } }",
    codes: VALIDATION,
    limit: "history",
  },
  {
    what: "a name of 20,000 characters in the histories of a hundred",
    query: `{ queuedJobs(first: 100) { nodes { history { ${"a".repeat(20_000)}: type } } } }`,
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "fragments that double sixteen times",
    query: bomb(16),
    codes: VALIDATION,
    limit: "selections",
  },
  {
    what: "fragments that double forty times",
    query: bomb(40),
    codes: VALIDATION,
    limit: "selections",
  },
];

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

const VALUES: HostileDocument[] = [
  { what: "first: -1", query: "{ photos(first: -1) { totalCount } }", codes: INPUT },
  { what: "first: 0", query: "{ photos(first: 0) { totalCount } }", codes: INPUT },
  { what: "first: 101", query: "{ photos(first: 101) { totalCount } }", codes: INPUT },
  { what: "first: 2³¹", query: "{ photos(first: 2147483648) { totalCount } }", codes: VALIDATION },
  {
    what: "first: 1e9, by a variable",
    query: "query ($n: Int) { photos(first: $n) { totalCount } }",
    variables: { n: 1e9 },
    codes: INPUT,
  },
  { what: "SQL for an id", query: `{ photo(id: "' or 1=1 --") { id } }`, codes: INPUT },
  {
    what: "an operator for an id, by a variable",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: { id: { $ne: null } },
    codes: INPUT,
  },
  {
    what: "a list for an id, by a variable",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: { id: ["a", "b"] },
    codes: INPUT,
  },
  {
    what: "SQL for a name of a Job",
    query: `{ job(name: "echo'; drop table users; --") { id } }`,
    codes: [NONE],
  },
  {
    what: "NUL for a name of a Job",
    query: '{ job(name: "a\\u0000") { id } }',
    codes: [NONE, ...INPUT],
  },
  {
    what: "__proto__ for a name of a Job",
    query: '{ job(name: "__proto__") { id } }',
    codes: [NONE],
  },
  {
    what: "SQL for a cursor",
    query: `{ photos(after: "' union select 1 --") { totalCount } }`,
    codes: INPUT,
  },
  {
    what: "200 kB for a cursor",
    query: "query ($a: String) { photos(after: $a) { totalCount } }",
    variables: { a: "A".repeat(200_000) },
    codes: INPUT,
  },
  {
    what: "a filter by 20,000 names",
    query: "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
    variables: { f: { job: Array.from({ length: 20_000 }, () => "echo") } },
    codes: [NONE, ...INPUT, ...VALIDATION],
  },
  {
    what: "a filter by a name with NUL",
    query: "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
    variables: { f: { job: ["a\0"] } },
    codes: [NONE, ...INPUT],
  },
  {
    what: "a filter by half a surrogate pair",
    query: "query ($f: QueuedJobFilter) { queuedJobs(filter: $f) { totalCount } }",
    variables: { f: { job: ["\ud800"] } },
    codes: [NONE, ...INPUT],
  },
  { what: "a Job by the name constructor", ...submit({ job: "constructor" }), codes: INPUT },
  { what: "a Job by a path", ...submit({ job: "../../bin/start" }), codes: INPUT },
  {
    what: "parameters a thousand deep",
    ...submit({ job: "echo", parameters: { message: deep(1000) } }),
    codes: [...INPUT, ...VALIDATION],
  },
  {
    what: "parameters 10,000 deep",
    query: enqueue,
    variables: `{"input":{"job":"echo","parameters":{"message":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}}}`,
    codes: [...INPUT, ...VALIDATION],
  },
  {
    what: "parameters of 200 kB",
    ...submit({ job: "echo", parameters: { message: "x".repeat(200_000) } }),
    codes: INPUT,
  },
  {
    what: "NUL in parameters",
    ...submit({ job: "echo", parameters: { message: "a\0b" } }),
    codes: INPUT,
  },
  {
    what: "NUL in a key of parameters",
    ...submit({ job: "echo", parameters: { message: { "\0": 1 } } }),
    codes: INPUT,
  },
  {
    what: "half a surrogate pair in parameters",
    ...submit({ job: "echo", parameters: { message: "\udc00" } }),
    codes: INPUT,
  },
  {
    what: "a parameter that is none",
    ...submit({ job: "echo", parameters: { constructor: 1 } }),
    codes: INPUT,
  },
  {
    what: "a duration without end",
    ...submit({ job: "echo", parameters: { durationMs: 1e308 } }),
    codes: INPUT,
  },
  {
    what: "a billion steps",
    ...submit({ job: "echo", parameters: { durationMs: 1, steps: 1e9 } }),
    codes: INPUT,
  },
  {
    what: "a watermark of 10 kB",
    ...submit({
      job: "watermark",
      parameters: { text: "x".repeat(10_000) },
      photoIds: ["0198f3a0-0000-7000-8000-000000000000"],
    }),
    codes: INPUT,
  },
  {
    what: "a watermark that is markup of Pango",
    ...submit({
      job: "watermark",
      parameters: { text: "<span font='9999'>x</span>\n" },
      photoIds: ["0198f3a0-0000-7000-8000-000000000000"],
    }),
    codes: INPUT,
  },
  {
    what: "a thousand photos",
    ...submit({
      job: "metadata",
      photoIds: Array.from({ length: 1000 }, () => "0198f3a0-0000-7000-8000-000000000000"),
    }),
    codes: INPUT,
  },
  {
    what: "an address for a photo",
    ...submit({ job: "metadata", photoIds: ["http://169.254.169.254/latest/meta-data/"] }),
    codes: INPUT,
  },
  { what: "a priority over all", ...submit({ job: "echo", priority: 2 ** 31 - 1 }), codes: INPUT },
  {
    what: "a time in the year 9999",
    ...submit({ job: "echo", runAt: "9999-12-31T23:59:59Z" }),
    codes: INPUT,
  },
  {
    what: "a time that is none",
    ...submit({ job: "echo", runAt: "0000-00-00T99:99:99Z" }),
    codes: INPUT,
  },
  {
    what: "a key of 201 characters",
    ...submit({ job: "echo", idempotencyKey: "x".repeat(201) }),
    codes: INPUT,
  },
  { what: "a key with NUL", ...submit({ job: "echo", idempotencyKey: "\0" }), codes: INPUT },
  {
    what: "101 submissions",
    query: "mutation ($i: [EnqueueJobInput!]!) { enqueueJobs(inputs: $i) { id } }",
    variables: { i: Array.from({ length: 101 }, () => ({ job: "echo" })) },
    codes: INPUT,
  },
  {
    what: "the role of an admin among its variables",
    query: "query ($u: ID) { queuedJobs(userId: $u, allUsers: true) { totalCount } }",
    variables: { u: null, role: "ADMIN" },
    codes: ["FORBIDDEN"],
  },
  {
    what: "variables that are a prototype",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: JSON.parse('{"__proto__":{"id":"0198f3a0-0000-7000-8000-000000000000"}}'),
    codes: [NONE, ...INPUT],
  },
];

export const HOSTILE_DOCUMENTS: HostileDocument[] = [...TOO_MUCH, ...BROKEN, ...CURIOUS, ...VALUES];
