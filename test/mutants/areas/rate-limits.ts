import type { Mutant } from "../mutant.js";

const FLOOD = [
  "server/rate-limits.test",
  "auth/verified-tokens.test",
  "server/authenticator/flood.test",
];

/** How often one may ask. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "what is counted is kept when its minute is over",
    file: "src/server/minute-counts.ts",
    find: "this.#minute = newMinute(time);\n    return",
    replace: "this.#minute = Object.assign(newMinute(time), { before: this.#minute });\n    return",
    tests: ["server/minute-counts.test"],
  },
  {
    breaks: "every token of a flood is verified",
    file: "src/server/rate-limits.ts",
    find: "if (count > VERIFICATIONS_PER_SECOND)",
    replace: "if (count > 1e9)",
    tests: FLOOD,
  },
  {
    breaks: "no token of a flooded network is verified",
    file: "src/server/rate-limits.ts",
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
    file: "src/server/authenticator.ts",
    find: " || error instanceof ServiceUnavailableError",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "503 does not say when to try again",
    file: "src/server/http-status.ts",
    find: "if (error instanceof ServiceUnavailableError) return",
    replace: "if (error === ServiceUnavailableError) return",
    tests: ["server/signed-files.test", "server/graphql-endpoint.test"],
  },
];
