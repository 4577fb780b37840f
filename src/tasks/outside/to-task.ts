// Checks what task.js of a folder outside this repository exports, as the compiler checks ours.
import { basename } from "node:path";
import { z } from "zod";
import { isStorable } from "../../domain/is-storable.js";
import type { Task } from "../define-task.js";
import { toJsonSchema } from "../json-schema.js";
import { loadOutsideWork } from "./outside-work.js";

type Io = Parameters<typeof toJsonSchema>[1];

const MAX_TIMEOUT_MS = 86_400_000;
const MAX_ATTEMPTS = 100;

const text = (max: number) =>
  z
    .string("is not text")
    .refine(isStorable, "contains NUL or half a surrogate pair")
    .refine(
      (value) => value.trim().length > 0 && value.length <= max,
      `must have 1 to ${max} characters`,
    );
const number = (min: number, max: number) =>
  z
    .int(`must be a whole number from ${min} to ${max}`)
    .refine((value) => value >= min && value <= max, `must be ${min} to ${max}`);
const schema = (io: Io) =>
  z.unknown().superRefine((value, context) => {
    const fault = schemaFault(value, io);
    if (fault !== null) context.addIssue({ code: "custom", message: fault });
  });

function shapeOf(maxPhotos: number) {
  return z
    .object({
      name: text(50).regex(
        /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
        "must be lower-case words joined by hyphens",
      ),
      title: text(100),
      description: text(2000),
      parameters: schema("input"),
      result: schema("output"),
      minPhotos: number(0, maxPhotos),
      maxPhotos: number(0, maxPhotos),
      maxAttempts: number(1, MAX_ATTEMPTS),
      timeoutMs: number(1, MAX_TIMEOUT_MS),
      runsIn: z.enum(["worker", "child"], 'must be "worker" or "child"'),
      resultVersion: number(1, 1_000_000).nullish(),
    })
    .refine((task) => task.minPhotos <= task.maxPhotos, {
      path: ["minPhotos"],
      message: "is more than maxPhotos",
    })
    .refine((task) => task.runsIn === "child" || task.maxPhotos === 0, {
      path: ["runsIn"],
      message: 'must be "child" for a task that takes photos',
    });
}

/**
 * Returns the only task among the exports. Throws an error whose message is the fault, as the end
 * of a sentence that begins with the folder.
 */
export function toTask(
  exports: object,
  folder: string,
  { maxPhotos }: { maxPhotos: number },
): Task {
  const tasks = [...new Set(Object.values(exports))].filter(looksLikeTask);
  if (tasks.length !== 1)
    throw new Error(`exports ${tasks.length} tasks in task.js: one folder has one task`);
  const { data, error } = shapeOf(maxPhotos).safeParse(tasks[0]);
  if (error) {
    const faults = error.issues.map(({ path, message }) => `\`${path.join(".")}\` ${message}`);
    throw new Error(`has a faulty task: ${faults.join("; ")}`);
  }
  if (data.name !== basename(folder))
    throw new Error(`has the task "${data.name}": the folder and the task need the same name`);
  return { ...data, folder, load: () => loadOutsideWork(folder) } as Task;
}

function looksLikeTask(value: unknown): value is object {
  return typeof value === "object" && value !== null && "name" in value && "parameters" in value;
}

/** Null for an object schema of zod 4 that can be shown as JSON Schema. */
function schemaFault(value: unknown, io: Io): string | null {
  const major = zodMajorOf(value);
  if (major === null) return "is not a schema of zod";
  if (major !== 4)
    return `is a schema of zod ${major}: use zod 4, or remove that zod from the task's node_modules`;
  try {
    const json = toJsonSchema(value as z.ZodType, io);
    if (json["type"] !== "object") return "must be an object, as of z.strictObject or z.object";
    if (!isStorable(json)) return "contains NUL or half a surrogate pair";
    // An asynchronous check throws here, as it would for each submission.
    (value as z.ZodType).safeParse({});
    return null;
  } catch (error) {
    return `cannot be used: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The major version of zod that made a schema; null for anything else. */
function zodMajorOf(value: unknown): number | null {
  const { _zod, _def } = Object(value) as {
    _zod?: { version?: { major?: number } };
    _def?: unknown;
  };
  return _zod?.version?.major ?? (_def === undefined ? null : 3);
}
