/** True if long tests run: LONG=1, which `npm run check` sets. */
export const RUNS_LONG = process.env["LONG"] === "1";

/** Skip reason of long tests; the test summary counts them by this reason. */
export const LEFT_OUT = "long";

/** Options of a long test. Each one has a shorter test beside it, which always runs. */
export const long: { skip: string | false } = { skip: !RUNS_LONG && LEFT_OUT };
