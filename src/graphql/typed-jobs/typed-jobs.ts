import type { Task } from "../../tasks/define-task.js";
import { toJsonSchema } from "../../tasks/json-schema.js";
import {
  acceptsNull,
  describe,
  hasNamedFields,
  toPascalCase,
  TypeWriter,
  withoutNull,
  type JsonSchema,
} from "./type-writer.js";

/** The GraphQL types of all Jobs' parameters and results, and how to read values of them. */
export interface TypedJobs {
  /** Adds `QueuedJob.typedResult`, `EnqueueJobInput.run` and `GroupJobInput.run` to the schema. */
  sdl: string;
  /** Maximum entries of each list in a result, by `Type.field`. */
  listSizes: ReadonlyMap<string, number>;
  /** Returns the Job and the parameters of a JobInput, or null for an unknown field. */
  read(field: string, parameters: unknown): TypedParameters | null;
  /**
   * Returns a result as a value of the union JobResult. Null when the task is unknown, or when the
   * result of an earlier release does not match its schema any more.
   */
  toTyped(jobName: string, result: unknown): object | null;
}

export interface TypedParameters {
  job: string;
  parameters: Record<string, unknown>;
}

interface TypedJob {
  task: Task;
  /** Name of its field in JobInput. */
  field: string;
  parameters: JsonSchema;
  parametersType: string;
  resultType: string;
  /** True when the result is not an object, so that its type has the field `value`. */
  isWrapped: boolean;
}

/**
 * Derives the types from the tasks' schemas. Throws when two tasks need a type of the same name.
 */
export function createTypedJobs(tasks: Iterable<Task>): TypedJobs {
  const writer = new TypeWriter();
  // A result may contain the result of another Job, which is smaller and so is written first.
  const inOrder = [...tasks].map(toSchemas).sort((a, b) => a.size - b.size);
  const jobs = inOrder
    .map((schemas) => writeTypes(writer, schemas))
    .sort((a, b) => (a.task.name < b.task.name ? -1 : 1));
  const byField = new Map(jobs.map((job) => [job.field, job]));
  const byName = new Map(jobs.map((job) => [job.task.name, job]));
  return {
    sdl: `${writer.sdl}\n${writeUnion(jobs)}\n${writeInput(jobs)}\n${EXTENSIONS}`,
    listSizes: writer.listSizes,
    read(field, given) {
      const job = byField.get(field);
      if (!job) return null;
      const parameters = withoutNulls(given, job.parameters) as Record<string, unknown>;
      return { job: job.task.name, parameters };
    },
    toTyped(jobName, result) {
      const job = byName.get(jobName);
      const parsed = job?.task.result.safeParse(result);
      if (!job || !parsed?.success) return null;
      const fields = job.isWrapped ? { value: parsed.data } : (parsed.data as object);
      return { ...fields, __typename: job.resultType };
    },
  };
}

interface Schemas {
  task: Task;
  parameters: JsonSchema;
  result: JsonSchema;
  /** Characters of the result's schema. */
  size: number;
}

function toSchemas(task: Task): Schemas {
  const parameters = toJsonSchema(task.parameters, "input") as JsonSchema;
  const result = toJsonSchema(task.result, "output") as JsonSchema;
  return { task, parameters, result, size: JSON.stringify(result).length };
}

/** Parameters without a GraphQL form are a JSONObject, and such a result has one field `value`. */
function writeTypes(writer: TypeWriter, { task, parameters, result }: Schemas): TypedJob {
  const name = toPascalCase(task.name);
  const [parametersType, resultType] = [`${name}Parameters`, `${name}Result`];
  const isTyped = hasInputType(parameters);
  if (isTyped)
    writer.define("input", parametersType, name, {
      ...parameters,
      description: `Parameters of the Job \`${task.name}\`.`,
    });
  const isWrapped = !hasNamedFields(result);
  writer.define("type", resultType, name, {
    ...(isWrapped ? WRAPPED : result),
    description: `Result of the Job \`${task.name}\`.`,
  });
  return {
    task,
    field: name.slice(0, 1).toLowerCase() + name.slice(1),
    parameters,
    parametersType: isTyped ? parametersType : "JSONObject",
    resultType,
    isWrapped,
  };
}

const WRAPPED: JsonSchema = {
  type: "object",
  properties: { value: { description: "The result as JSON." } },
};

/** An object without fields has an input type too. */
function hasInputType(schema: JsonSchema): boolean {
  const { properties = {}, additionalProperties } = schema;
  const isEmpty = Object.keys(properties).length === 0 && additionalProperties === false;
  return isEmpty || hasNamedFields(schema);
}

function writeUnion(jobs: TypedJob[]): string {
  const members = jobs.map(({ resultType }) => resultType).join(" | ");
  return `"The result of a Job, one type per Job."\nunion JobResult = ${members}\n`;
}

function writeInput(jobs: TypedJob[]): string {
  const fields = jobs.map(
    ({ task, field, parametersType }) =>
      `${describe(`The Job \`${task.name}\`: ${task.title}.`)}  ${field}: ${parametersType}\n`,
  );
  return `"Exactly one Job with its parameters."\ninput JobInput @oneOf {\n${fields.join("")}}\n`;
}

const EXTENSIONS = `
extend type QueuedJob {
  """
  \`result\` as the type of its Job; null until SUCCESS. Also null if it does not match its type any
  more, as a result of an earlier release may; \`extensions.warnings\` of the answer then says so.
  """
  typedResult: JobResult
}

extend input EnqueueJobInput {
  "The Job with typed parameters, instead of \`job\` and \`parameters\`."
  run: JobInput
}

extend input GroupJobInput {
  "The Job with typed parameters, instead of \`job\` and \`parameters\`."
  run: JobInput
}
`;

/**
 * Drops each null for which the schema has no place: in GraphQL, null for an optional field means
 * the same as leaving it out.
 */
function withoutNulls(value: unknown, schema: JsonSchema): unknown {
  const { schema: inner } = withoutNull(schema);
  if (Array.isArray(value)) return value.map((entry) => withoutNulls(entry, inner.items ?? {}));
  if (typeof value !== "object" || value === null) return value;
  if (!hasInputType(inner)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, part]) => part !== null || acceptsNull(inner.properties?.[key]))
      .map(([key, part]) => [key, withoutNulls(part, inner.properties?.[key] ?? {})]),
  );
}
