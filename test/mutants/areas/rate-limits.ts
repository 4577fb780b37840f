import type { Mutant } from "../mutant.js";

const FLOOD = [
  "server/access/rate-limits.test",
  "auth/verified-tokens.test",
  "server/access/authenticator/flood.test",
];

/** How often one may ask. */
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
    breaks: "a flood keeps out those who are signed in",
    file: "src/auth/verified-tokens.ts",
    find: "return left > 0;",
    replace: "return left > 1e9;",
    tests: FLOOD,
  },
  {
    breaks: "forged tokens that name one who is signed in are all verified",
    file: "src/auth/verified-tokens.ts",
    find: "if (left > 0) subjects.set(subject, left - 1);",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "unknown keys are not counted while the key server is away",
    file: "src/server/access/authenticator.ts",
    find: " || error instanceof ServiceUnavailableError",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "503 does not say when to try again",
    file: "src/server/http/errors.ts",
    find: "if (error instanceof ServiceUnavailableError) return",
    replace: "if (error === ServiceUnavailableError) return",
    tests: ["server/files/signed-files.test", "server/graphql/http/graphql-endpoint/audits.test"],
  },
];
