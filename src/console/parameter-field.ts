// A form drawn from a JSON Schema: which control stands for a property, and what its text means. The service judges the
// values, so whatever cannot be read as what is wanted goes out as it was typed, and comes back with a sentence.
import type { Issue, Job, PropertySchema } from "./types.js";

export type FieldKind = "choice" | "flag" | "number" | "text" | "list" | "json";

export interface ParameterField {
  name: string;
  /** In words: `keepMetadata` is "Keep metadata". */
  label: string;
  kind: FieldKind;
  description: string;
  required: boolean;
  /** Of a choice. */
  options: string[];
  /** What is taken when nothing is entered, as text; empty when there is no default. */
  fallback: string;
  schema: PropertySchema;
}

export function parameterFields({ parameterSchema: { properties = {}, required = [] } }: Pick<Job, "parameterSchema">): ParameterField[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    label: labelOf(name),
    kind: kindOf(schema),
    description: schema.description ?? "",
    required: required.includes(name) && schema.default === undefined,
    options: schema.enum ?? [],
    fallback: textOf(schema.default),
    schema,
  }));
}

/** The value that a text stands for; undefined leaves the parameter out. */
export function readField({ kind, schema }: ParameterField, text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  if (kind === "flag") return text === "true";
  if (kind === "number") return toNumber(text);
  if (kind === "list") return text.split(",").map((part) => part.trim()).filter(Boolean).map((part) => (isNumeric(schema.items) ? toNumber(part) : part));
  return kind === "json" ? toJson(text) : text;
}

/** Faults of the one field, and of whatever lies below it; what is wrong in each of many submissions is told once. */
export function issuesOf(issues: readonly Issue[], name: string): string[] {
  return once(issues.filter(({ path }) => insideSubmission(path)[0] === "parameters" && insideSubmission(path)[1] === name).map(({ path, message }) => withPlace(insideSubmission(path).slice(2), message)));
}

/** Faults that stand at no field of the form. */
export function otherIssues(issues: readonly Issue[], names: readonly string[]): string[] {
  const isShown = (path: Issue["path"]) => path[0] === "parameters" && names.includes(String(path[1]));
  return once(issues.filter(({ path }) => !isShown(insideSubmission(path))).map(({ path, message }) => `${insideSubmission(path).join(" ")} ${message}`.trim()));
}

const once = (texts: string[]): string[] => [...new Set(texts)];

/** Of a submission of many the path begins with the index. */
function insideSubmission(path: Issue["path"]): Issue["path"] {
  return typeof path[0] === "number" ? path.slice(1) : path;
}

function withPlace(rest: Issue["path"], message: string): string {
  const [first] = rest;
  return typeof first === "number" ? `Entry ${first + 1}: ${message}` : message;
}

function kindOf(schema: PropertySchema): FieldKind {
  if (schema.enum?.every((value) => typeof value === "string")) return "choice";
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

function toNumber(text: string): number | string {
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
