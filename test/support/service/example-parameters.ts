import type { Task } from "../../../src/tasks/define-task.js";
import { toJsonSchema } from "../../../src/tasks/json-schema.js";

interface ParameterSchema {
  properties?: Record<string, { examples?: unknown[] }>;
  required?: string[];
}

/** Parameters of a Job: the first example of each that is required, and the defaults of all others. */
export function exampleParameters({ parameters }: Task): Record<string, unknown> {
  const { properties = {}, required = [] } = toJsonSchema(parameters, "input") as ParameterSchema;
  return Object.fromEntries(required.map((name) => [name, properties[name]?.examples?.[0]]));
}
