import { join } from "node:path";
import { z } from "zod";
import { OUTPUT_FILES } from "../../imaging/formats/photo-format.js";
import { sizeOfPlainFile } from "../../imaging/inspect/photo-child-response.js";
import type { TaskOutput } from "../../tasks/define-task.js";
import { PLAIN_NAME, type TaskChildResponse } from "./task-child-request.js";

/** No task makes more. */
const MAX_OUTPUTS = 12;
const MIME_TYPES = Object.values(OUTPUT_FILES).map(({ mimeType }) => mimeType);
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
    .refine(haveNamesOfTheirOwn, "has a name twice"),
});

function haveNamesOfTheirOwn(outputs: Pick<TaskOutput, "name">[]): boolean {
  return new Set(outputs.map(({ name }) => name)).size === outputs.length;
}

/**
 * What a child gave, its form checked; `result` is still to be. Throws when no task of ours gives
 * it.
 */
export function parseTaskChildResponse(given: unknown): TaskChildResponse {
  const { result, outputs } = response.parse(given);
  return { result, outputs };
}

/**
 * The outputs with the sizes that they have. Throws when one of them is not a file that lies in the
 * folder.
 */
export function measureOutputs(folder: string, outputs: TaskOutput[]): Promise<TaskOutput[]> {
  const measure = async (output: TaskOutput) => ({
    ...output,
    byteSize: await sizeOfPlainFile(join(folder, output.name)),
  });
  return Promise.all(outputs.map(measure));
}
