import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask, warnings } from "../define-task.js";

const MAX_CHARACTERS = 100;

const parameters = z.strictObject({
  text: z
    .string()
    .refine(
      (text) => Array.from(text).length <= MAX_CHARACTERS,
      `has more than ${MAX_CHARACTERS} characters`,
    )
    .refine(
      (text) => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text),
      "must be one line of plain text, without line breaks and control characters",
    )
    .refine((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text), "has nothing in it that can be seen")
    .meta({
      minLength: 1,
      maxLength: MAX_CHARACTERS,
      description:
        "One line. Latin, Greek, Cyrillic and Arabic always; other scripts only where " +
        "the system has fonts for them, else they are boxes.",
    }),
  gravity: z
    .enum([
      "northwest",
      "north",
      "northeast",
      "west",
      "center",
      "east",
      "southwest",
      "south",
      "southeast",
    ])
    .default("southeast")
    .describe("Where on the picture."),
  opacity: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.5)
    .describe("0.01 (hardly there) to 1 (covers what is below)."),
  scale: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.3)
    .describe("How much of the picture's width, and at most of its height, the text takes."),
});

export type WatermarkParameters = z.output<typeof parameters>;

const result = z.object({
  width: z.int().min(1).describe("Of the upright picture, in pixels."),
  height: z.int().min(1).describe("Of the upright picture, in pixels."),
  format: z.enum(OUTPUT_FORMATS).describe("The photo's own where it can be written, else JPEG."),
  warnings,
});

export const watermark = defineTask({
  name: "watermark",
  title: "Watermark",
  description:
    "The photo with a line of text on it, white with a dark shadow, so that it can be " +
    "read on light and on dark.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
