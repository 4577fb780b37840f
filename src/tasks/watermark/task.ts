import { z } from "zod";
import { OUTPUT_FORMATS } from "../../imaging/formats/photo-format.js";
import { defineTask } from "../define-task.js";
import { warnings } from "../warnings.js";

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
    .refine((text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text), "has no visible characters")
    .meta({
      minLength: 1,
      maxLength: MAX_CHARACTERS,
      examples: ["© Ann"],
      description:
        "One line of text. Latin, Greek, Cyrillic and Arabic are always supported; other " +
        "scripts appear as boxes unless the system has fonts for them.",
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
    .describe("Position of the text on the picture."),
  opacity: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.5)
    .describe("Opacity from 0.01 (hardly visible) to 1 (covers the picture below)."),
  scale: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.3)
    .describe(
      "Width of the text as a share of the picture's width; the same share limits its height.",
    ),
});

export type WatermarkParameters = z.output<typeof parameters>;

const result = z.object({
  width: z.int().min(1).describe("Width of the upright picture, in pixels."),
  height: z.int().min(1).describe("Height of the upright picture, in pixels."),
  format: z.enum(OUTPUT_FORMATS).describe("The photo's format if it can be written, else JPEG."),
  warnings,
});

export const watermark = defineTask({
  name: "watermark",
  title: "Watermark",
  description:
    "Draws a line of text on the photo, white with a dark shadow, so that it is readable on " +
    "light and dark pictures.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 180_000,
  runsIn: "child",
  countPictures: () => 1,
  load: () => import("./run.js"),
});
