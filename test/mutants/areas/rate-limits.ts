import type { Mutant } from "../mutant.js";

const LIMITS = ["server/rate-limits.test"];

const FLOOD = ["server/rate-limits.test", "auth/verified-tokens.test", "server/authenticator/flood.test"];

/** How often one may ask. */
export const MUTANTS: Mutant[] = [
  { breaks: "a user may ask as often as they like", file: "src/server/authenticator.ts", find: "await rateLimits.takeOfUser(user.id);", replace: "", tests: ["server/authenticator.test", "server/limit-addresses.test"] },
  { breaks: "tokens may be guessed as often as one likes", file: "src/server/authenticator.ts", find: "if (header !== undefined && didNotHold(error)) await rateLimits.takeFailure(address);", replace: "", tests: ["server/authenticator.test", "server/limit-addresses.test"] },
  { breaks: "a sign-in without a token is not counted", file: "src/server/authenticator.ts", find: "await rateLimits.takeOfAddress(address);", replace: "", tests: ["server/authenticator.test", "server/limit-addresses.test"] },
  { breaks: "what comes without a token is not counted", file: "src/server/limit-addresses.ts", find: "if (isCountedElsewhere(request))", replace: "if (isCountedElsewhere.length > 0)", tests: ["server/limit-addresses.test"] },
  { breaks: "a header authorization takes a caller out of the count wherever they go", file: "src/server/limit-addresses.ts", find: "(headers.authorization !== undefined && SIGNED_IN.has(url))", replace: "(headers.authorization !== undefined && SIGNED_IN.size > 0)", tests: ["server/limit-addresses.test"] },
  { breaks: "probes of health are refused with whoever shares their address", file: "src/server/limit-addresses.ts", find: "PROBED.test(url) || ", replace: "", tests: ["server/limit-addresses.test"] },
  { breaks: "operations on a socket are not counted", file: "src/server/socket-protocol.ts", find: "await options.rateLimits.takeOfUser(session.user.id);", replace: "", tests: ["server/graphql-sockets.test", "server/limit-addresses.test", "server/rate-limits.test"] },
  { breaks: "each process has a limit of its own: Redis is not told", file: "src/server/minute-counts.ts", find: "{ reported: own, others: all - own }", replace: "{ reported: own, others: 0 * all }", tests: LIMITS },
  { breaks: "with Redis away there is no limit", file: "src/server/rate-limits.ts", find: "if (count.others + mine > limit)", replace: "if (count.others !== 0 && count.others + mine > limit)", tests: LIMITS },
  { breaks: "who comes first is counted behind those who came while it waited", file: "src/server/rate-limits.ts", find: "if (count.others + mine > limit)", replace: "if (count.others + count.own > limit)", tests: LIMITS },
  { breaks: "an IPv6 network has a limit for each of its addresses", file: "src/server/network-of.ts", find: 'normalizeIP(address ?? "gone").slice(0, 64)', replace: '(address ?? "gone").slice(0, normalizeIP.length + 64)', tests: ["server/rate-limits.test", "server/admin-guard.test"] },
  { breaks: "429 does not say when to try again", file: "src/server/http-status.ts", find: 'error instanceof QuotaExceededError ? { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) } : {}', replace: "(void QuotaExceededError, void error, {})", tests: ["server/limit-addresses.test"] },
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
