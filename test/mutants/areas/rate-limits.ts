import type { Mutant } from "../mutant.js";

const FLOOD = [
  "server/access/rate-limits.test",
  "auth/verified-tokens.test",
  "server/access/authenticator/flood.test",
];

/** Limits on the rate of requests. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "counts are kept after their minute",
    file: "src/server/access/rate-limits.ts",
    find: "this.#minute = newMinute(time);\n    return",
    replace: "this.#minute = Object.assign(newMinute(time), { before: this.#minute });\n    return",
    tests: ["server/access/rate-limits/minute-counts.test"],
  },
  {
    breaks: "every token of a flood is verified",
    file: "src/server/access/rate-limits.ts",
    find: "if (count > VERIFICATIONS_PER_SECOND)",
    replace: "if (count > 1e9)",
    tests: FLOOD,
  },
  {
    breaks: "no token of a flooded network is verified",
    file: "src/server/access/rate-limits.ts",
    find: "const VERIFICATIONS_PER_SECOND = 20;",
    replace: "const VERIFICATIONS_PER_SECOND = 0;",
    tests: FLOOD,
  },
  {
    breaks: "a flood blocks users who are signed in",
    file: "src/auth/verified-tokens.ts",
    find: "return remaining > 0;",
    replace: "return remaining > 1e9;",
    tests: FLOOD,
  },
  {
    breaks: "all forged tokens that name a signed-in user are verified",
    file: "src/auth/verified-tokens.ts",
    find: "if (remaining > 0) subjects.set(subject, remaining - 1);",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "unknown keys are not counted while the key server is unavailable",
    file: "src/server/access/authenticator.ts",
    find: " || error instanceof ServiceUnavailableError",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "a 503 does not say when to retry",
    file: "src/server/http/errors.ts",
    find: "if (error instanceof ServiceUnavailableError) return",
    replace: "if (error === ServiceUnavailableError) return",
    tests: ["server/files/signed-files.test", "server/graphql/http/graphql-endpoint/audits.test"],
  },
];
