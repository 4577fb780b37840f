import {
  deep,
  enqueue,
  INPUT,
  NONE,
  submit,
  VALIDATION,
  type HostileDocument,
} from "./hostile-document.js";

export const VALUES: HostileDocument[] = [
  { what: "first: -1", query: "{ photos(first: -1) { totalCount } }", codes: INPUT },
  { what: "first: 0", query: "{ photos(first: 0) { totalCount } }", codes: INPUT },
  { what: "first: 101", query: "{ photos(first: 101) { totalCount } }", codes: INPUT },
  { what: "first: 2³¹", query: "{ photos(first: 2147483648) { totalCount } }", codes: VALIDATION },
  { what: "last: 101", query: "{ photos(last: 101) { totalCount } }", codes: INPUT },
  { what: "first and last", query: "{ photos(first: 1, last: 1) { totalCount } }", codes: INPUT },
  {
    what: "first: 1e9 in a variable",
    query: "query ($n: Int) { photos(first: $n) { totalCount } }",
    variables: { n: 1e9 },
    codes: INPUT,
  },
  { what: "SQL as an id", query: `{ photo(id: "' or 1=1 --") { id } }`, codes: INPUT },
  {
    what: "an operator object as an id, in a variable",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: { id: { $ne: null } },
    codes: INPUT,
  },
  {
    what: "a list as an id, in a variable",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: { id: ["a", "b"] },
    codes: INPUT,
  },
  {
    what: "SQL as the name of a Job",
    query: `{ job(name: "echo'; drop table users; --") { id } }`,
    codes: [NONE],
  },
  {
    what: "a NUL in the name of a Job",
    query: '{ job(name: "a\\u0000") { id } }',
    codes: [NONE, ...INPUT],
  },
  {
    what: "__proto__ as the name of a Job",
    query: '{ job(name: "__proto__") { id } }',
    codes: [NONE],
  },
  {
    what: "SQL as a cursor",
    query: `{ photos(after: "' union select 1 --") { totalCount } }`,
    codes: INPUT,
  },
  {
    what: "SQL as a cursor backward",
    query: `{ jobs(last: 5, before: "' union select 1 --") { totalCount } }`,
    codes: INPUT,
  },
  {
    what: "a cursor of 200 kB",
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
    what: "a filter by a name with a NUL",
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
  { what: "a Job named constructor", ...submit({ job: "constructor" }), codes: INPUT },
  { what: "a Job named like a path", ...submit({ job: "../../bin/start" }), codes: INPUT },
  {
    what: "parameters 1,000 levels deep",
    ...submit({ job: "echo", parameters: { message: deep(1000) } }),
    codes: [...INPUT, ...VALIDATION],
  },
  {
    what: "parameters 10,000 levels deep",
    query: enqueue,
    variables:
      `{"input":{"job":"echo","parameters":{"message":` +
      `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}}}`,
    codes: [...INPUT, ...VALIDATION],
  },
  {
    what: "parameters of 200 kB",
    ...submit({ job: "echo", parameters: { message: "x".repeat(200_000) } }),
    codes: INPUT,
  },
  {
    what: "a NUL in parameters",
    ...submit({ job: "echo", parameters: { message: "a\0b" } }),
    codes: INPUT,
  },
  {
    what: "a NUL in a key of parameters",
    ...submit({ job: "echo", parameters: { message: { "\0": 1 } } }),
    codes: INPUT,
  },
  {
    what: "half a surrogate pair in parameters",
    ...submit({ job: "echo", parameters: { message: "\udc00" } }),
    codes: INPUT,
  },
  {
    what: "an unknown parameter",
    ...submit({ job: "echo", parameters: { constructor: 1 } }),
    codes: INPUT,
  },
  {
    what: "an endless duration",
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
    what: "a watermark with Pango markup",
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
    what: "a URL as a photo id",
    ...submit({ job: "metadata", photoIds: ["http://169.254.169.254/latest/meta-data/"] }),
    codes: INPUT,
  },
  {
    what: "the highest possible priority",
    ...submit({ job: "echo", priority: 2 ** 31 - 1 }),
    codes: INPUT,
  },
  {
    what: "a time in the year 9999",
    ...submit({ job: "echo", runAt: "9999-12-31T23:59:59Z" }),
    codes: INPUT,
  },
  {
    what: "an invalid time",
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
    what: "the role of an admin in its variables",
    query: "query ($u: ID) { queuedJobs(userId: $u, allUsers: true) { totalCount } }",
    variables: { u: null, role: "ADMIN" },
    codes: ["FORBIDDEN"],
  },
  {
    what: "variables with __proto__",
    query: "query ($id: ID!) { photo(id: $id) { id } }",
    variables: JSON.parse('{"__proto__":{"id":"0198f3a0-0000-7000-8000-000000000000"}}'),
    codes: [NONE, ...INPUT],
  },
];
