import { execFileSync } from "node:child_process";

export type Said = Record<string, string | number | undefined>;

/**
 * What exiftool reads in a file, by group and name (`IFD0:Make`), numbers as numbers, unknown and
 * repeated tags included.
 */
export function exiftool(path: string): Said {
  return exiftoolOfMany([path])[0] ?? {};
}

/** The same of many files, in their order: its start takes longer than all of them. */
export function exiftoolOfMany(paths: string[]): Said[] {
  return JSON.parse(
    execFileSync("exiftool", ["-n", "-j", "-G1", "-a", "-u", ...paths], { encoding: "utf8" }),
  ) as Said[];
}

/** For a test's `skip`. */
export const noExiftool = isMissing() && "exiftool is not installed: this test has shown nothing";

function isMissing(): boolean {
  try {
    execFileSync("exiftool", ["-ver"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
}
