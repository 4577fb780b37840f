export interface HostileDocument {
  what: string;
  query: string;
  /** A string is used as raw JSON, for values that JSON.stringify cannot produce. */
  variables?: unknown;
  /** Allowed codes of the refusal; with NONE, a harmless response is allowed as well. */
  codes: string[];
  /** Limit that the refusal must name. */
  limit?: string;
}

export const VALIDATION = ["GRAPHQL_VALIDATION_FAILED"];
export const PARSE = ["GRAPHQL_PARSE_FAILED"];
export const INPUT = ["BAD_USER_INPUT"];
export const NONE = "none";

export const times = (count: number, make: (i: number) => string, by = " ") =>
  Array.from({ length: count }, (_, i) => make(i)).join(by);
/** Builds `a { b { c } }` of any depth. */
const nested = (levels: string[], leaf: string) =>
  `{ ${levels.join(" { ")} { ${leaf} ${"} ".repeat(levels.length)}}`;
export const loop = (rounds: number) =>
  nested(
    [
      "me",
      ...Array.from({ length: rounds }, () => ["queuedJobs(first: 1)", "nodes", "user"]).flat(),
    ],
    "id",
  );
/** Builds three nested pages of a user's QueuedJobs. */
export const pages = (first: string) =>
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
export const bomb = (doublings: number) =>
  "{ me { ...F0 } } " +
  `${times(doublings, (i) => `fragment F${i} on User { ...F${i + 1} ...F${i + 1} }`)} ` +
  `fragment F${doublings} on User { id }`;
export const enqueue = "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }";
export const submit = (input: unknown) => ({ query: enqueue, variables: { input } });
export const deep = (levels: number) =>
  JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as unknown;
