import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PhotoServiceError } from "../errors.js";
import type { OutputFile } from "../types.js";

export async function readPhoto(path: string): Promise<{ file: Blob; filename: string }> {
  try {
    return { file: new Blob([await readFile(path)]), filename: basename(path) };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(`The file cannot be read (${code}).`, { cause: error });
  }
}

export interface OutputFolder {
  /** Fetches an output of a job on these photos, and returns the path. */
  save(output: OutputFile, photos: readonly string[], signal: AbortSignal): Promise<string>;
}

/** Creates the folder with the first file. Files of the same run do not replace each other. */
export function createOutputFolder(folder: string): OutputFolder {
  const taken = new Set<string>();

  function freePath(name: string): string {
    const extension = extname(name);
    const stem = name.slice(0, name.length - extension.length);
    let path = join(folder, name);
    for (let i = 2; taken.has(path); i++) path = join(folder, `${stem}-${i}${extension}`);
    taken.add(path);
    return path;
  }

  return {
    async save({ name, url }, photos, signal) {
      const [photo] = photos;
      const prefix =
        photos.length === 1 && photo !== undefined ? `${basename(photo, extname(photo))}-` : "";
      const path = freePath(prefix + basename(name));
      await mkdir(folder, { recursive: true });
      const response = await fetch(url, { signal });
      if (!response.ok || !response.body)
        throw new PhotoServiceError(
          "UNREACHABLE",
          `${name} cannot be fetched: ${response.status}.`,
        );
      await pipeline(Readable.fromWeb(response.body), createWriteStream(path), { signal });
      return path;
    },
  };
}
