/** The keywords of JSON Schema that zod writes for the schemas of tasks. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
}

/** TypeScript's declaration of a type that accepts what the schema accepts, as far as types go. */
export function declareType(name: string, schema: JsonSchema): string {
  const definitions = Object.entries(schema.$defs ?? {}).map(
    ([key, one]) => `export type ${nameOf(name, key)} = ${typeOf(one, name)};\n`,
  );
  const body = typeOf(schema, name);
  const declaration = body.startsWith("{")
    ? `interface ${name} ${body}`
    : `type ${name} = ${body};`;
  return [...definitions, `${docComment(schema.description)}export ${declaration}\n`].join("\n");
}

/** The definition `__schema0` of EchoParameters is EchoParameters0. */
function nameOf(prefix: string, key: string): string {
  return prefix + key.replaceAll(/[^a-z0-9]|schema/gi, "");
}

const PRIMITIVES = new Set(["string", "number", "boolean", "null"]);

function typeOf(schema: JsonSchema, prefix: string): string {
  const { type = "", items = {}, anyOf } = schema;
  if (Array.isArray(type))
    return type.map((one) => typeOf({ ...schema, type: one }, prefix)).join(" | ");
  if (schema.$ref) return nameOf(prefix, schema.$ref.split("/").at(-1) ?? "");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (anyOf) return anyOf.map((one) => typeOf(one, prefix)).join(" | ");
  if (type === "array") return `(${typeOf(items, prefix)})[]`;
  if (type === "object") return objectOf(schema, prefix);
  if (type === "integer") return "number";
  return PRIMITIVES.has(type) ? type : "unknown";
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  prefix: string,
): string {
  const fields = Object.entries(properties).map(
    ([key, property]) =>
      `${docComment(property.description)}${JSON.stringify(key)}` +
      `${required.includes(key) ? "" : "?"}: ${typeOf(property, prefix)};`,
  );
  if (typeof additionalProperties === "object")
    fields.push(`[key: string]: ${typeOf(additionalProperties, prefix)};`);
  return fields.length > 0 ? `{\n${fields.join("\n")}\n}` : "Record<string, never>";
}

const COLUMNS = 90;

/** Wrapped by words, because the formatter leaves comments as they are. */
export function docComment(text = ""): string {
  if (text === "") return "";
  const lines = text
    .replaceAll("*/", "*\\/")
    .split(" ")
    .reduce<string[]>((all, word) => {
      const last = all.at(-1);
      if (last === undefined || last.length + word.length >= COLUMNS) return [...all, word];
      return [...all.slice(0, -1), `${last} ${word}`];
    }, []);
  return lines.length === 1
    ? `/** ${lines[0]} */\n`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n`;
}
