/** The parts of a JSON Schema (2020-12) from which GraphQL types are made. */
export interface JsonSchema {
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: unknown;
  items?: JsonSchema;
  maxItems?: number;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  default?: unknown;
}

type Kind = "type" | "input";

/** Types that are written for all Jobs together. */
const RESERVED = ["JobResult", "JobInput"];

/** A GraphQL name, not reserved, and not the start of an introspection name. */
const NAME = /^(?!__|true$|false$|null$)[A-Za-z_][A-Za-z0-9_]*$/;

const MAX_INT = 2 ** 31 - 1;
const MAX_LIST_ITEMS = 100;

/**
 * Writes GraphQL types (as SDL) for JSON Schemas. A schema without a GraphQL form becomes the
 * scalar JSON. Equal object types and equal enums are written once, so that a query can select the
 * same field of several results.
 */
export class TypeWriter {
  readonly #definitions = new Map<string, string>();
  /** Names of written types by the schema that they have. */
  readonly #names = new Map<string, string>();
  /** Maximum entries of each list in a result, by `Type.field`. */
  readonly listSizes = new Map<string, number>();

  /** Writes an object type or input type of this name. Throws when the name is taken. */
  define(kind: Kind, name: string, task: string, schema: JsonSchema): void {
    const fields = Object.entries(schema.properties ?? {}).map(([key, property]) =>
      this.#field(kind, { name, task, key }, property, schema),
    );
    if (fields.length === 0) fields.push(EMPTY);
    this.#add(name, `${describe(schema.description)}${kind} ${name} {\n${fields.join("\n")}\n}`);
    const identity = identityOf(kind, schema);
    // A task that is added later must not rename the type of an existing field.
    if (!this.#names.has(identity)) this.#names.set(identity, name);
  }

  get sdl(): string {
    return [...this.#definitions.values()].join("\n\n");
  }

  #add(name: string, definition: string): void {
    if (this.#definitions.has(name) || RESERVED.includes(name))
      throw new Error(`needs the GraphQL type ${name}, which exists already`);
    this.#definitions.set(name, definition);
  }

  #field(
    kind: Kind,
    { name, task, key }: { name: string; task: string; key: string },
    property: JsonSchema,
    { required = [] }: JsonSchema,
  ): string {
    const { schema } = withoutNull(property);
    const type = this.#typeOf(kind, { name: `${name}${toPascalCase(key)}`, task, key }, schema);
    const isOptional = acceptsNull(property) || !required.includes(key);
    if (kind === "type" && schema.type === "array" && type.startsWith("["))
      this.listSizes.set(`${name}.${key}`, schema.maxItems ?? MAX_LIST_ITEMS);
    return `${describe(textOf(property, schema))}  ${key}: ${type}${isOptional ? "" : "!"}`;
  }

  /** Returns the type without its nullability. */
  #typeOf(
    kind: Kind,
    place: { name: string; task: string; key: string },
    schema: JsonSchema,
  ): string {
    const { type } = schema;
    if (type === "boolean") return "Boolean";
    if (type === "number") return "Float";
    if (type === "integer") return isInt(schema) ? "Int" : "Float";
    if (type === "string") return this.#text(place, schema);
    if (type === "array" && schema.items) {
      const { schema: item, nullable } = withoutNull(schema.items);
      const of = this.#typeOf(kind, { ...place, name: singular(place.name) }, item);
      return `[${of}${nullable ? "" : "!"}]`;
    }
    if (!hasNamedFields(schema)) return "JSON";
    const known = this.#names.get(identityOf(kind, schema));
    if (known !== undefined) return known;
    const { description = `An object in the field \`${place.key}\`.` } = schema;
    this.define(kind, place.name, place.task, { ...schema, description });
    return place.name;
  }

  #text({ name, task, key }: { name: string; task: string; key: string }, schema: JsonSchema) {
    const words = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
    if (words.length === 0 || !words.every(isName)) return "String";
    const identity = JSON.stringify(words);
    const known = this.#names.get(identity);
    if (known !== undefined) return known;
    const option = `${toPascalCase(key)}Option`;
    const isFree = (one: string) => !this.#definitions.has(one);
    const chosen = [option, `${task}${option}`].find(isFree) ?? `${name}Option`;
    const values = words.map((word) => `${describe(`The value \`${word}\`.`)}  ${word}`);
    this.#add(
      chosen,
      `${describe(`Values of \`${key}\`.`)}enum ${chosen} {\n${values.join("\n")}\n}`,
    );
    this.#names.set(identity, chosen);
    return chosen;
  }
}

/** An input type needs a field; that of a Job without parameters accepts null only. */
const EMPTY = `${describe("Must be null or absent: this Job has no parameters.")}  _: Boolean`;

/** `contact-sheet` becomes `ContactSheet`. */
export function toPascalCase(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

/** Splits off the alternative null. */
export function withoutNull(schema: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  const others = schema.anyOf?.filter(({ type }) => type !== "null") ?? [];
  const [other] = others;
  if (!schema.anyOf || others.length === schema.anyOf.length) return { schema, nullable: false };
  // Several alternatives have no GraphQL form.
  return { schema: others.length === 1 && other ? other : {}, nullable: true };
}

/** True for an object whose fields are all known and have GraphQL names. */
export function hasNamedFields({ type, properties, additionalProperties }: JsonSchema): boolean {
  const names = Object.keys(properties ?? {});
  return (
    type === "object" &&
    names.length > 0 &&
    names.every(isName) &&
    (additionalProperties === undefined || additionalProperties === false)
  );
}

/** True when null can be a value: also when the schema names no type. */
export function acceptsNull(schema: JsonSchema | undefined): boolean {
  return schema !== undefined && (schema.type === undefined || withoutNull(schema).nullable);
}

function isName(word: unknown): word is string {
  return typeof word === "string" && NAME.test(word);
}

/** An integer without stated bounds counts as Int: a larger value does not fit its type. */
function isInt({ minimum = 0, maximum = 0 }: JsonSchema): boolean {
  const isStated = (bound: number) => Math.abs(bound) !== Number.MAX_SAFE_INTEGER;
  return [minimum, maximum].every((bound) => !isStated(bound) || Math.abs(bound) <= MAX_INT);
}

/** The description of the whole does not count: the same type is described where it is used. */
function identityOf(kind: Kind, { properties, required }: JsonSchema): string {
  return JSON.stringify([kind, properties, required]);
}

/** Drops the plural ending of a type's name, for the entries of a list. */
function singular(name: string): string {
  if (/(ch|sh|x|ss)es$/.test(name)) return name.slice(0, -2);
  if (name.endsWith("ies")) return `${name.slice(0, -3)}y`;
  return /[^s]s$/.test(name) ? name.slice(0, -1) : name;
}

function textOf(property: JsonSchema, schema: JsonSchema): string | undefined {
  const text = property.description ?? schema.description;
  const { default: standard } = property;
  if (standard === undefined || text === undefined) return text;
  return `${text} Default: ${JSON.stringify(standard)}.`;
}

/** Returns the description as a line of SDL; an absent one is nothing. */
export function describe(text: string | undefined): string {
  return text === undefined ? "" : `  ${JSON.stringify(text)}\n`;
}
