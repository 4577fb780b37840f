import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  redactGps: z
    .boolean()
    .default(false)
    .describe(
      "Leave out the position of the photo: `gps` is null, and tags with a position are " +
        "removed. Names of cities and countries are kept.",
    ),
});

export type MetadataParameters = z.output<typeof parameters>;

const text = z.string().nullable();
const number = z.number().nullable();

const result = z.object({
  camera: z
    .object({ make: text.describe("Maker, or null."), model: text.describe("Model, or null.") })
    .describe("Maker and model of the camera."),
  lens: text.describe("Name of the lens if a standard tag contains it, else null."),
  exposure: z
    .object({
      seconds: number.describe("Exposure time in seconds, or null."),
      fNumber: number.describe("Aperture as f-number, or null."),
      iso: number.describe("Sensitivity, or null."),
      focalLength: number.describe("Real focal length of the lens in millimetres, or null."),
    })
    .describe("Exposure settings."),
  takenAt: text.describe(
    "Time of the camera's clock, e.g. 2021-04-11T15:47:53, followed by the offset if the " +
      "file contains one; or null.",
  ),
  gps: z
    .object({
      latitude: z.number().describe("Degrees; north is positive."),
      longitude: z.number().describe("Degrees; east is positive."),
      altitude: number.describe("Metres above sea level, or null."),
    })
    .nullable()
    .describe("Position where the photo was taken, or null."),
  orientation: z
    .int()
    .min(1)
    .max(8)
    .describe("EXIF orientation of the stored pixels, 1 to 8; 1 is upright."),
  colorProfile: text.describe("Name of the embedded colour profile, or null."),
  width: z.int().min(1).describe("Width of the upright photo, in pixels."),
  height: z.int().min(1).describe("Height of the upright photo, in pixels."),
  tags: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .describe(
      "All standard tags by name, with their group if it is not EXIF (XMP:Rating). At most " +
        "200 tags; texts are cut to 500 characters.",
    ),
});

export const metadata = defineTask({
  name: "metadata",
  title: "Metadata",
  description:
    "Reads camera, lens, exposure, time, place and colour profile from the photo's file, " +
    "in one flat structure.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 60_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
