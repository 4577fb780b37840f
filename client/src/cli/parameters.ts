// Turns the JSON Schema of a Job's parameters into flags, and flags into parameters.
import { UsageError, textOf, type FlagTypes, type FlagValues } from "./command-line.js";

/** One property of a schema, with the keywords that flags use. */
interface PropertySchema {
  type?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  items?: PropertySchema;
}

export interface ParameterSchema {
  properties?: Record<string, PropertySchema>;
  required?: string[];
}

interface Flag {
  property: string;
  schema: PropertySchema;
  /** `--keep-metadata` for `keepMetadata`; `--width` too where a list is called `widths`. */
  names: string[];
}

function flagsOf({ properties = {} }: ParameterSchema): Flag[] {
  const names = Object.keys(properties).map(kebabCase);
  return Object.entries(properties).map(([property, schema]) => {
    const name = kebabCase(property);
    const singular = schema.type === "array" && name.endsWith("s") ? name.slice(0, -1) : null;
    const isFree = singular !== null && !names.includes(singular);
    return { property, schema, names: isFree ? [name, singular] : [name] };
  });
}

/** Flags of a Job, for the parser; `--parameters` takes any of them as JSON. */
export function flagTypes(schema: ParameterSchema): FlagTypes {
  const types: FlagTypes = { parameters: { type: "string" } };
  for (const { schema: property, names } of flagsOf(schema)) {
    for (const name of names) {
      const isBoolean = property.type === "boolean";
      types[name] = isBoolean ? { type: "boolean" } : { type: "string", multiple: true };
      if (isBoolean) types[`no-${name}`] = { type: "boolean" };
    }
  }
  return types;
}

/** The parameters that the flags give. The service checks them against the whole schema. */
export function readParameters(
  schema: ParameterSchema,
  values: FlagValues,
): Record<string, unknown> {
  const parameters = parseObject(textOf(values, "parameters") ?? "{}", "--parameters");
  for (const flag of flagsOf(schema)) {
    const value = valueOf(flag, values);
    if (value !== undefined) parameters[flag.property] = value;
  }
  return parameters;
}

function valueOf({ schema, names }: Flag, values: FlagValues): unknown {
  for (const name of names) {
    if (values[`no-${name}`] === true) return false;
    const value = values[name];
    if (value === undefined) continue;
    if (typeof value === "boolean") return value;
    const texts = [value].flat().map(String);
    if (schema.type === "array")
      return texts
        .flatMap((text) => text.split(","))
        .map((text) => convert(name, text.trim(), schema.items ?? {}));
    return convert(name, texts.at(-1) ?? "", schema);
  }
  return undefined;
}

function convert(name: string, text: string, { type, enum: choices }: PropertySchema): unknown {
  if (type === "integer" || type === "number") {
    const number = Number(text);
    if (text !== "" && Number.isFinite(number)) return number;
    throw new UsageError(`--${name} must be a number; got "${text}".`);
  }
  if (type === "string" || choices) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Throws UsageError, which names the flag, unless the text is a JSON object. */
export function parseObject(text: string, flag: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { ...value } as Record<string, unknown>;
  } catch {
    // The next line reports both faults.
  }
  throw new UsageError(`${flag} must be a JSON object; got "${text}".`);
}

/** The flags with their descriptions, for `--help`. */
export function describeFlags(schema: ParameterSchema): [string, string][] {
  return flagsOf(schema).map(({ property, schema: one, names }) => [
    `--${names.at(-1)}${one.type === "boolean" ? "" : ` <${placeholder(one)}>`}`,
    [
      one.description ?? "",
      one.default === undefined ? "" : ` Default: ${JSON.stringify(one.default)}.`,
      schema.required?.includes(property) ? " Required." : "",
    ].join(""),
  ]);
}

function placeholder({ type, enum: choices, items }: PropertySchema): string {
  if (type === "array") return `${placeholder(items ?? {})},…`;
  if (choices) return choices.join("|");
  return type === "integer" || type === "number" ? "number" : "text";
}

function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
