import { execFileSync } from "node:child_process";

export type ExiftoolTags = Record<string, string | number | undefined>;

/**
 * The tags that exiftool finds in a file, by group and name (`IFD0:Make`). Numbers are numbers;
 * unknown and repeated tags are included.
 */
export function exiftool(path: string): ExiftoolTags {
  return exiftoolOfMany([path])[0] ?? {};
}

/** The tags of many files, in their order: one start of exiftool takes longer than all files. */
export function exiftoolOfMany(paths: string[]): ExiftoolTags[] {
  return JSON.parse(
    execFileSync("exiftool", ["-n", "-j", "-G1", "-a", "-u", ...paths], { encoding: "utf8" }),
  ) as ExiftoolTags[];
}

/** The reason for a test's `skip`, or false. */
export const noExiftool = isMissing() && "exiftool is not installed, so this test proves nothing";

function isMissing(): boolean {
  try {
    execFileSync("exiftool", ["-ver"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
}
