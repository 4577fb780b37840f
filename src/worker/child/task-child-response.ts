import { join } from "node:path";
import { z } from "zod";
import { OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import { sizeOfPlainFile } from "../../imaging/inspect/photo-child-response.js";
import type { TaskOutput } from "../../tasks/define-task.js";
import { PLAIN_NAME, type TaskChildResponse } from "./task-child-request.js";

/** Maximum outputs of any task. */
const MAX_OUTPUTS = 12;
const MIME_TYPES = [
  ...Object.values(OUTPUT_FILES).map(({ mimeType }) => mimeType),
  "application/zip",
];
const side = z.int().min(1).max(65_535).nullable();

const response = z.object({
  result: z.unknown().optional(),
  outputs: z
    .array(
      z.object({
        name: z.string().regex(PLAIN_NAME),
        mimeType: z.enum(MIME_TYPES),
        byteSize: z.number(),
        width: side,
        height: side,
      }),
    )
    .max(MAX_OUTPUTS)
    .refine(haveDistinctNames, "contains a name twice"),
});

function haveDistinctNames(outputs: Pick<TaskOutput, "name">[]): boolean {
  return new Set(outputs.map(({ name }) => name)).size === outputs.length;
}

/**
 * Validates the form of a child's response, except `result`. Throws when no task of ours can
 * produce it.
 */
export function parseTaskChildResponse(message: unknown): TaskChildResponse {
  const { result, outputs } = response.parse(message);
  return { result, outputs };
}

/**
 * Returns the outputs with their measured sizes. Throws when an output is not a file in the folder.
 */
export function measureOutputs(folder: string, outputs: TaskOutput[]): Promise<TaskOutput[]> {
  const measure = async (output: TaskOutput) => ({
    ...output,
    byteSize: await sizeOfPlainFile(join(folder, output.name)),
  });
  return Promise.all(outputs.map(measure));
}
