import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { z } from "zod";
import type { Task, TaskContext, TaskOutput, TaskPhoto } from "../../src/tasks/define-task.js";

export interface TaskRun<Result> {
  result: Result;
  /** Contents of the outputs by name. */
  files: Map<string, Buffer>;
  outputs: TaskOutput[];
  /** The reported progress. */
  steps: [number, string | undefined][];
}

/**
 * Runs a task on one or several photos in this process, from a client's parameters to the checked
 * result.
 */
export async function runTask<Parameters extends z.ZodType, Result extends z.ZodType>(
  task: Task<Parameters, Result>,
  paths: string | string[],
  input: z.input<Parameters>,
  signal: AbortSignal = new AbortController().signal,
  more: {
    photo?: Partial<TaskPhoto>;
    photos?: Partial<TaskPhoto>[];
    fetchPhoto?: TaskContext<unknown>["fetchPhoto"];
    findNearPhotos?: TaskContext<unknown>["findNearPhotos"];
  } = {},
): Promise<TaskRun<z.output<Result>>> {
  const files = new Map<string, Buffer>();
  const outputs: TaskOutput[] = [];
  const steps: TaskRun<unknown>["steps"] = [];
  const photos = [paths].flat().map((path, index) => {
    const bytes = readFileSync(path);
    return {
      id: String(index + 1),
      path,
      filename: "photo.jpg",
      mimeType: "image/jpeg",
      width: 1,
      height: 1,
      byteSize: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      phash: null,
      createdAt: "2026-11-24T13:26:23.120Z",
      ...more.photo,
      ...more.photos?.[index],
    };
  });
  const { run } = await task.load();
  const result = await run({
    parameters: task.parameters.parse(input),
    photos,
    attempt: 1,
    failures: 0,
    signal,
    progress: (fraction, message) => steps.push([fraction, message]),
    output: async ({ name, mimeType, width = null, height = null, data }) => {
      const chunks: Uint8Array[] = [];
      if (data instanceof Uint8Array) chunks.push(data);
      else for await (const chunk of data) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const output = { name, mimeType, byteSize: bytes.length, width, height };
      files.set(name, bytes);
      outputs.push(output);
      return output;
    },
    fetchPhoto: more.fetchPhoto ?? (async ({ path }) => path),
    findNearPhotos: more.findNearPhotos ?? (async () => ({ photos: [], cut: false })),
  });
  return { result: task.result.parse(result), files, outputs, steps };
}
