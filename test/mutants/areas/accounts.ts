import type { Mutant } from "../mutant.js";

const VERIFIER = ["auth/token-verifier.test", "auth/token-verifier/forged.test"];
const CLOSE = ["services/users/accounts/close-account.test"];
const ERASE = ["services/users/erase-account.test"];
const ACCOUNTS = ["services/users/accounts.test"];
const ELSEWHERE = ["accounts/elsewhere.test"];
const SEEN = ["services/users/users/seen-users.test"];

const CLOSING = "src/services/users/accounts.ts";
const ERASING = "src/services/users/erase-account.ts";
const USERS = "src/services/users/users.ts";

/**
 * Sign-in and identity. Deleted accounts: they are closed at once for all older tokens, and erased in slices that block
 * no other user.
 */
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
  {
    breaks: "a closed account still records",
    file: CLOSING,
    find: "delete from user_streams where user_id = ${userId} returning user_id",
    replace: "select user_id from user_streams where user_id = ${userId}",
    tests: CLOSE,
  },
  {
    breaks: "a closed account keeps its name",
    file: CLOSING,
    find: "email = '', email_verified = false, name = '', picture = null,",
    replace: "",
    tests: CLOSE,
  },
  {
    breaks: "an account is closed with users first, and deadlocks with an accept",
    file: CLOSING,
    find: "from (select count(*) from s) counters where id",
    replace: "from (select 1) counters where id",
    tests: CLOSE,
  },
  {
    breaks: "an account is closed twice",
    file: CLOSING,
    find: "counters where id = ${userId} and closed_at is null",
    replace: "counters where id = ${userId}",
    tests: CLOSE,
  },
  {
    breaks: "an older token signs in again",
    file: USERS,
    find: "    if (isRefused(claims, deletedAt)) throw UnauthenticatedError.accountDeleted();\n",
    replace: "",
    tests: CLOSE,
  },
  {
    breaks: "a token of the same second as the deletion signs in",
    file: USERS,
    find: "issuedAt <= deletedAt;",
    replace: "issuedAt < deletedAt;",
    tests: CLOSE,
  },
  {
    breaks: "a user created from an old token during a deletion stays",
    file: USERS,
    find: "      await undo(claims, now.deletedAt);\n",
    replace: "",
    tests: CLOSE,
  },
  {
    breaks: "a refused token is read from the database each time",
    file: USERS,
    find: "if (error instanceof UnauthenticatedError) cache.set(key, null, readAt);",
    replace: "",
    tests: CLOSE,
  },
  {
    breaks: "a closed account is shown",
    file: USERS,
    find: "${closed ? sql`` : sql`and closed_at is null`}",
    replace: "",
    tests: CLOSE,
  },
  {
    breaks: "a closed account is listed",
    file: USERS,
    find: "sql`select * from users where closed_at is null`",
    replace: "sql`select * from users where true`",
    tests: CLOSE,
  },
  {
    breaks: "a closed account is counted",
    file: USERS,
    find: "(select from users where closed_at is null limit",
    replace: "(select from users limit",
    tests: CLOSE,
  },
  {
    breaks: "an operator's list fails for the jobs of a closed account",
    file: "src/graphql/loaders.ts",
    find: "users.findOwners(ids)",
    replace: "users.findMany(ids)",
    tests: ELSEWHERE,
  },
  {
    breaks: "a step of a closed account counts as above the quota",
    file: "src/services/queued-jobs/transition.ts",
    find:
      "if (sqlState(error) === OVER_QUOTA && (await isOfClosedAccount(sql, parts.where))) " +
      "return null;",
    replace: "",
    tests: CLOSE,
  },

  {
    breaks: "an open account is erased",
    file: ERASING,
    find: "if (await available(() => isOpen(sql, userId))) return false;",
    replace: "",
    tests: ERASE,
  },
  {
    breaks: "an erasure waits for a locked row",
    file: "src/services/queued-jobs/bulk/erase.ts",
    find: "limit ${limit} for update skip locked),",
    replace: "limit ${limit} for update),",
    tests: ERASE,
  },
  {
    breaks: "an account is removed before its rows are gone",
    file: ERASING,
    find: "and not exists (select from queued_jobs where user_id = u.id)",
    replace: "",
    tests: ERASE,
  },
  {
    breaks: "finished work is erased before unfinished work",
    file: ERASING,
    find: '["", unfinishedJobs], ',
    replace: "",
    tests: ERASE,
  },
  {
    breaks: "running attempts of an account are not stopped",
    file: ERASING,
    find: "    stopWork(slice.running);\n",
    replace: "",
    tests: ERASE,
  },
  {
    breaks: "files of an erased account stay",
    file: "src/services/queued-jobs/bulk/erase.ts",
    find: "coalesce((select array_agg(storage_key) from o), '{}')",
    replace: "array_remove((select array_agg(storage_key) from o where false), '')",
    tests: ACCOUNTS,
  },
  {
    breaks: "one failing account stops the erasure of others",
    file: ERASING,
    find: "      if (isAway(error)) throw error;\n      log.error({ err: error, userId }",
    replace: "      throw error;\n      log.error({ err: error, userId }",
    tests: ERASE,
  },

  {
    breaks: "a deleted user stays in the cache",
    file: "src/services/users/users.ts",
    find: "for (const key of keysOf.get(userId) ?? []) seen.delete(key);",
    replace: "",
    tests: SEEN,
  },
  {
    breaks: "after a missed notification all users are read at once",
    file: "src/services/users/users.ts",
    find: "spreadMs: Math.random() * SPREAD_MS",
    replace: "spreadMs: 0",
    tests: SEEN,
  },
  {
    breaks: "after a missed notification no user is read",
    file: "src/services/users/users.ts",
    find: "(missedAt === undefined || now() - missedAt < spreadMs)",
    replace: "true",
    tests: SEEN,
  },
  {
    breaks: "a second missed notification delays the reads of the first",
    file: "src/services/users/users.ts",
    find: "misses.find((at)",
    replace: "misses.findLast((at)",
    tests: SEEN,
  },
];
