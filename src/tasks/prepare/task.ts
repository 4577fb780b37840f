import { z } from "zod";
import { defineTask, warnings } from "../define-task.js";
import { hash } from "../hash/task.js";
import { metadata } from "../metadata/task.js";
import { palette } from "../palette/task.js";
import { placeholder } from "../placeholder/task.js";
import { thumbnail } from "../thumbnail/task.js";

const parameters = z.strictObject({});

const result = z.object({
  thumbnail: thumbnail.result.describe(
    "As the Job thumbnail gives it; the files are outputs. WebP; where that ends, above " +
      "16,383 pixels of height, JPEG, or PNG for what is transparent.",
  ),
  metadata: metadata.result.describe("As the Job metadata gives it."),
  placeholder: placeholder.result.describe("As the Job placeholder gives it."),
  palette: palette.result.describe("As the Job palette gives it."),
  hash: hash.result.describe("As the Job hash gives it."),
  warnings,
});

export const prepare = defineTask({
  name: "prepare",
  title: "Prepare",
  description:
    "What an app wants right after an upload, in one go: thumbnails, metadata, a " +
    "placeholder, the palette and the photo's duplicates.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  // It depends on the photos beside it, which come and go.
  resultVersion: null,
  load: () => import("./run.js"),
});
