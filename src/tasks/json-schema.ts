import { z } from "zod";

/** Returns the JSON Schema 2020-12 of a task's parameters (input) or of its result (output). */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  return z.toJSONSchema(schema, { io, target: "draft-2020-12" }) as Record<string, unknown>;
}
