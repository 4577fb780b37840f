import type { Mutant } from "../mutant.js";

const VERIFIER = ["auth/token-verifier.test", "auth/token-verifier/forged.test"];

/** Sign-in and identity. */
export const MUTANTS: Mutant[] = [
  {
    core: true,
    breaks: "a signature is not checked",
    file: "src/auth/token-verifier.ts",
    find: "return (await jwtVerify(token, key, options)).payload;",
    replace:
      "return (void [jwtVerify, key, options], " +
      'JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()));',
    tests: VERIFIER,
  },
  {
    core: true,
    breaks: "any algorithm in a header is accepted",
    file: "src/auth/token-verifier.ts",
    find: 'const alg = SIGNATURE_ALGORITHMS.find((one) => one === header["alg"]);',
    replace: 'const alg = header["alg"] as KeyChoice["alg"];',
    tests: VERIFIER,
  },
  {
    core: true,
    breaks: "a token for another audience is accepted",
    file: "src/auth/token-verifier.ts",
    find: "audience: [...audiences], ",
    replace: "",
    tests: VERIFIER,
  },
  {
    core: true,
    breaks: "exp is not compared with the clock",
    file: "src/auth/token-verifier.ts",
    find: "currentDate: new Date(now)",
    replace: "currentDate: new Date(0)",
    tests: VERIFIER,
  },
  {
    core: true,
    breaks: "a cached token outlives its expiry",
    file: "src/auth/verified-tokens.ts",
    find:
      "claims && Math.floor(clock() / 1000) - LEEWAY_SECONDS < claims.expiresAt ? claims : " +
      "undefined",
    replace: "claims",
    tests: [...VERIFIER, "auth/verified-tokens.test"],
  },
  {
    core: true,
    breaks: "a socket or a stream stays open after its token has expired",
    file: "src/server/access/user-connections.ts",
    find: "const disarm = closeAtExpiry(expiresAt, entry);",
    replace: "const disarm = (): void => void [closeAtExpiry, expiresAt];",
    tests: ["server/access/user-connections.test", "server/access/user-connections/expiry.test"],
  },
];
