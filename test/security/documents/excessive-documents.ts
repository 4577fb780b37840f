import {
  bomb,
  INPUT,
  loop,
  pages,
  PARSE,
  times,
  VALIDATION,
  type HostileDocument,
} from "./hostile-document.js";

/** Documents that exceed the limits, one or more for each limit. */
export const TOO_MUCH: HostileDocument[] = [
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
    what: "31 aliases through a fragment",
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
    what: "21 root fields",
    query: `{ ${times(21, (i) => `a${i}: service { version }`)} }`,
    codes: VALIDATION,
    limit: "rootFields",
  },
  {
    what: "eleven mutations",
    query: `mutation { ${times(11, (i) => `a${i}: cancelQueuedJobs`)} }`,
    codes: VALIDATION,
    limit: "rootFields",
  },
  {
    what: "a loop through users, 13 levels deep",
    query: loop(4),
    codes: VALIDATION,
    limit: "depth",
  },
  {
    what: "a loop through users, 100 levels deep",
    query: loop(33),
    codes: VALIDATION,
    limit: "depth",
  },
  {
    what: "a loop through users that is deep only through fragments",
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
    what: "pages of 100 within pages of 100 within pages",
    query: `{ ${pages("100")} }`,
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "pages of two billion within pages, through a variable",
    query: `query ($n: Int!) { ${pages("$n")} }`,
    variables: { n: 2 ** 31 - 1 },
    codes: [...VALIDATION, ...INPUT],
    limit: "cost",
  },
  {
    what: "pages of 100 within pages, through a default value",
    query: `query ($n: Int = 100) { ${pages("$n")} }`,
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "jobs of photos of jobs of photos",
    query:
      "{ photos(first: 100) { nodes { queuedJobs(first: 100) { nodes { photos { id " +
      "queuedJobs(first: 100) { nodes { id } } } } } } } }",
    codes: VALIDATION,
    limit: "cost",
  },
  {
    what: "histories of histories of 100 jobs",
    query:
      "{ queuedJobs(first: 100) { nodes { history { queuedJob { history { queuedJob { " +
      "history { queuedJob { id } } } } } } } } }",
    codes: VALIDATION,
    limit: "history",
  },
  {
    what: "an alias of 20,000 characters in the histories of 100 jobs",
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
