import { z } from "zod";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";
import { hash } from "../hash/task.js";
import { metadata } from "../metadata/task.js";
import { palette } from "../palette/task.js";
import { placeholder } from "../placeholder/task.js";
import { thumbnail } from "../thumbnail/task.js";

const parameters = z.strictObject({});

const result = z.object({
  thumbnail: thumbnail.result.describe(
    "Result of the Job thumbnail; the files are outputs. The format is WebP; for heights " +
      "above 16,383 pixels JPEG, or PNG if the photo is transparent.",
  ),
  metadata: metadata.result.describe("Result of the Job metadata."),
  placeholder: placeholder.result.describe("Result of the Job placeholder."),
  palette: palette.result.describe("Result of the Job palette."),
  hash: hash.result.describe("Result of the Job hash."),
  warnings,
});

export const prepare = defineTask({
  name: "prepare",
  title: "Prepare",
  description:
    "Computes everything that an app usually needs after an upload in one job: thumbnails, " +
    "metadata, a placeholder, the palette and the photo's duplicates.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  // The result depends on the user's other photos, which change.
  resultVersion: null,
  countPictures: () => thumbnail.parameters.parse({}).widths.length,
  load: () => import("./run.js"),
});
