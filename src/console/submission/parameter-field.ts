// A form drawn from a JSON Schema: which control stands for a property, and what its text means.
// The service judges the values, so whatever cannot be read as what is wanted goes out as it was
// typed, and comes back with a sentence.
import type { Issue, Job, PropertySchema } from "../types.js";

export type FieldKind = "choice" | "flag" | "number" | "text" | "list" | "json";

export interface ParameterField {
  name: string;
  /** In words: `keepMetadata` is "Keep metadata". */
  label: string;
  kind: FieldKind;
  description: string;
  required: boolean;
  /** Of a choice, as texts. */
  options: string[];
  /** What is taken when nothing is entered, as text; empty when there is no default. */
  fallback: string;
  schema: PropertySchema;
}

export function parameterFields({
  parameterSchema: { properties = {}, required = [] },
}: Pick<Job, "parameterSchema">): ParameterField[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    label: labelOf(name),
    kind: kindOf(schema),
    description: schema.description ?? "",
    required: required.includes(name) && schema.default === undefined,
    options: (schema.enum ?? []).map(textOf),
    fallback: textOf(schema.default),
    schema,
  }));
}

/** The value that a text stands for; undefined leaves the parameter out. */
export function readField({ kind, schema }: ParameterField, text: string | undefined): unknown {
  if (text === undefined || (kind === "text" ? text : text.trim()) === "") return undefined;
  if (kind === "choice") return schema.enum?.find((value) => textOf(value) === text);
  if (kind === "flag") return text === "true";
  if (kind === "number") return readNumber(text);
  if (kind === "list")
    return text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean)
      .map((part) => (isNumeric(schema.items) ? readNumber(part) : part));
  return kind === "json" ? toJson(text) : text;
}

/**
 * Faults at one place of a submission, e.g. `["parameters", "widths"]`, and below it, as sentences;
 * what is wrong in each of many submissions is told once.
 */
export function faultsAt(issues: readonly Issue[], place: readonly string[]): string[] {
  return once(
    issues
      .filter((issue) => isAt(issue, place))
      .map(({ path, message }) =>
        toSentence(entryOf(insideSubmission(path).slice(place.length)), message),
      ),
  );
}

/** Faults at none of the places that the form has a control for. */
export function faultsElsewhere(
  issues: readonly Issue[],
  places: readonly (readonly string[])[],
): string[] {
  return once(
    issues
      .filter((issue) => !places.some((place) => isAt(issue, place)))
      .map(({ path, message }) => toSentence(placeOf(insideSubmission(path)), message)),
  );
}

export const isAt = ({ path }: Issue, place: readonly string[]): boolean =>
  place.every((step, i) => insideSubmission(path)[i] === step);

const once = (texts: string[]): string[] => [...new Set(texts)];

/** Of a submission of many the path begins with the index. */
function insideSubmission(path: Issue["path"]): Issue["path"] {
  return typeof path[0] === "number" ? path.slice(1) : path;
}

function entryOf([first]: Issue["path"]): string {
  return typeof first === "number" ? `Entry ${first + 1}` : "";
}

function placeOf([first, second]: Issue["path"]): string {
  if (first === "photoIds" && typeof second === "number") return `Photo ${second + 1}`;
  return labelOf(String((first === "parameters" ? second : undefined) ?? first ?? ""));
}

/**
 * The service says "must be …" of what its path names. Of a type GraphQL itself is the judge, and
 * of ours that is Int alone.
 */
function toSentence(subject: string, message: string): string {
  const said = message.startsWith('Variable "') ? "must be a whole number" : message;
  const unnamed = /^(is|has|names) /.test(said) ? `this ${said}` : said;
  const text = subject === "" ? unnamed : `${subject}: ${said}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function kindOf(schema: PropertySchema): FieldKind {
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "flag";
  if (isNumeric(schema)) return "number";
  if (schema.type === "string") return "text";
  return schema.type === "array" && isPlain(schema.items) ? "list" : "json";
}

function isNumeric(schema: PropertySchema | undefined): boolean {
  return schema?.type === "integer" || schema?.type === "number";
}

function isPlain(schema: PropertySchema | undefined): boolean {
  return schema?.type === "string" || isNumeric(schema);
}

function labelOf(name: string): string {
  const words = name.replaceAll(/([A-Z]+)/g, " $1").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** As it was typed where it is no number. */
export function readNumber(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
