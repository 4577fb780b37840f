import { v7 as uuidv7 } from "uuid";

/** Strings that are almost ids. */
export const BROKEN_IDS = [
  "",
  " ",
  "1",
  "nobody",
  "0198f3a0-0000-7000-8000-00000000000",
  "0198f3a0-0000-7000-8000-0000000000000",
  "{0198f3a0-0000-7000-8000-000000000000}",
  "0198f3a000007000800000000000000a",
  "0198f3a0-0000-7000-8000-00000000000g",
];

/** A valid id without a row. */
export const idOfNothing = (): string => uuidv7();
