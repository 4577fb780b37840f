import { parseArgs, type ParseArgsConfig } from "node:util";

/** The command was typed wrongly; the message says how it is right. */
export class UsageError extends Error {}

export type FlagTypes = NonNullable<ParseArgsConfig["options"]>;
export type FlagValues = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** Flags of every command. */
export const COMMON_FLAGS = {
  url: { type: "string" },
  token: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies FlagTypes;

export function parseFlags(
  args: readonly string[],
  flags: FlagTypes,
): { values: FlagValues; positionals: string[] } {
  try {
    return parseArgs({
      args: [...args],
      options: { ...COMMON_FLAGS, ...flags },
      allowPositionals: true,
    });
  } catch (error) {
    // The parser adds advice about syntax; its first sentence is enough.
    const [sentence = ""] = (error instanceof Error ? error.message : "").split(/\. /);
    throw new UsageError(`${sentence.replace(/\.?$/, ".")} The flags are listed by --help.`);
  }
}

/** The value of a flag that takes one text. */
export function textOf(values: FlagValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** Throws UsageError unless the text is a whole number of the range. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}; got "${text}".`);
}

/** Aligns the cells of rows in columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, i) => Math.max(cell.length, all[i] ?? 0)),
    [],
  );
  return rows
    .map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
