// A form built from a JSON Schema: the control of each property, and the value of its text.
// The service validates the values. Text that cannot be converted is sent as typed, and the
// service's message is shown at the field.
import type { InputIssue } from "../../../client/src/index.js";
import type { Job, PropertySchema } from "../types.js";

export type FieldKind = "choice" | "flag" | "number" | "text" | "list" | "json";

export interface ParameterField {
  name: string;
  /** Label made of the name: `keepMetadata` becomes "Keep metadata". */
  label: string;
  kind: FieldKind;
  description: string;
  required: boolean;
  /** Options of a choice, as text. */
  options: string[];
  /** Default value as text; empty if there is none. */
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

/** The value of a field's text; undefined omits the parameter. */
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
 * Faults at or below one place of a submission, e.g. `["parameters", "widths"]`, as sentences.
 * A fault that occurs in several jobs of a group is listed once.
 */
export function faultsAt(issues: readonly InputIssue[], place: readonly string[]): string[] {
  return once(
    issues
      .filter((issue) => isAt(issue, place))
      .map(({ path, message }) =>
        toSentence(entryOf(insideSubmission(path).slice(place.length)), message),
      ),
  );
}

/** Faults at places for which the form has no control. */
export function faultsElsewhere(
  issues: readonly InputIssue[],
  places: readonly (readonly string[])[],
): string[] {
  return once(
    issues
      .filter((issue) => !places.some((place) => isAt(issue, place)))
      .map(({ path, message }) => toSentence(placeOf(insideSubmission(path)), message)),
  );
}

export const isAt = ({ path }: InputIssue, place: readonly string[]): boolean =>
  place.every((step, i) => insideSubmission(path)[i] === step);

const once = (texts: string[]): string[] => [...new Set(texts)];

/** In a group, the path begins with `jobs` and an index. Each of its first jobs has one photo. */
function insideSubmission(path: InputIssue["path"]): InputIssue["path"] {
  const [first, index, ...inside] = path;
  if (first !== "jobs" || index === undefined) return path;
  return inside[0] === "photoIds" ? ["photoIds", index] : inside;
}

function entryOf([first]: InputIssue["path"]): string {
  return typeof first === "number" ? `Entry ${first + 1}` : "";
}

function placeOf([first, second]: InputIssue["path"]): string {
  if (first === "photoIds" && typeof second === "number") return `Photo ${second + 1}`;
  return labelOf(String((first === "parameters" ? second : undefined) ?? first ?? ""));
}

/**
 * Messages of the service have no subject, e.g. "must be …"; the path names it. Messages that start
 * with 'Variable "' come from GraphQL's type check, and Int is the only type that can fail here.
 */
function toSentence(subject: string, message: string): string {
  const fault = message.startsWith('Variable "') ? "must be a whole number" : message;
  const unnamed = /^(is|has|names) /.test(fault) ? `this ${fault}` : fault;
  const text = subject === "" ? unnamed : `${subject}: ${fault}`;
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

/** Words of a label that differ from those of the parameter's name. */
const SPELLINGS: Record<string, string> = {
  ms: "(ms)",
  gps: "GPS",
  icc: "ICC",
  id: "ID",
  gravity: "position",
  colors: "colours",
};

function labelOf(name: string): string {
  const words = name
    .replaceAll(/([A-Z]+)/g, " $1")
    .toLowerCase()
    .split(" ")
    .map((word) => SPELLINGS[word] ?? word)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const DIRECTIONS: Record<string, string> = {
  north: "top ",
  south: "bottom ",
  west: "left",
  east: "right",
};

/** An option in words: `southeast` becomes "bottom right". */
export const optionInWords = (option: string): string =>
  option.replaceAll(/north|south|west|east/g, (direction) => DIRECTIONS[direction] ?? "").trim();

/** The text with which a field has the value. */
export function textOf(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Returns the text itself if it is not a number. */
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
