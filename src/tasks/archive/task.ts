import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  includeOriginals: z
    .boolean()
    .default(true)
    .refine((isIncluded) => isIncluded, "must be true: without the originals, the archive is empty")
    .describe(
      "Include the photos as they were uploaded, with their metadata. Must be true, because an " +
        "archive has no other files yet.",
    ),
});

export type ArchiveParameters = z.output<typeof parameters>;

const result = z.object({
  files: z.int().min(1).describe("Number of files in the archive."),
  byteSize: z.int().min(1).describe("Size of the archive in bytes."),
});

export const archive = defineTask({
  name: "archive",
  title: "Archive",
  description:
    "Puts up to 500 photos, together at most 2 GiB, into one ZIP file: as they were uploaded, in " +
    "the given order. Photos of the same name are numbered.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 500,
  maxAttempts: 3,
  // Time for 2 GiB at 2.4 MB/s.
  timeoutMs: 900_000,
  // Copying and checksums would delay the leases and hints of the worker process.
  runsIn: "child",
  copiesPhotos: true,
  load: () => import("./run.js"),
});
