import type { z } from "zod";

const KINDS: Record<string, string> = {
  int: "a whole number",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};
/** What a size is counted in; nothing for the number itself. */
const UNITS: Record<string, [one: string, many: string]> = {
  string: ["character", "characters"],
  array: ["entry", "entries"],
};

/**
 * What is wrong with a parameter, as the end of a sentence that begins with its name; for a rule
 * that says nothing itself.
 */
export function faultInWords(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return "is needed";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")}`;
    case "too_small":
      return size(issue.origin, Number(issue.minimum), "or more");
    case "too_big":
      return size(issue.origin, Number(issue.maximum), "or less");
    default:
      return "is not as the Job's parameterSchema says";
  }
}

function size(origin: string, limit: number, bound: string): string {
  const unit = UNITS[origin];
  return unit
    ? `must have ${limit} ${unit[limit === 1 ? 0 : 1]} ${bound}`
    : `must be ${limit} ${bound}`;
}
