/** Whether what takes long is run: by LONG=1, which `npm run check` sets. */
export const RUNS_LONG = process.env["LONG"] === "1";

/** Begins the reason of a test that was left out for its length; the run counts them by it. */
export const LEFT_OUT = "long";

/**
 * Options of a test that takes long. What it guards has a shorter test beside it, which always
 * runs.
 */
export const long: { skip: string | false } = { skip: !RUNS_LONG && LEFT_OUT };
