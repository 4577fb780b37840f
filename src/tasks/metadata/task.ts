import { z } from "zod";
import { defineTask } from "../define-task.js";

const parameters = z.strictObject({
  redactGps: z
    .boolean()
    .default(false)
    .describe(
      "Leave out where the photo was taken: `gps` is null, and no tag tells a position. " +
        "Names of cities and countries stay.",
    ),
});

export type MetadataParameters = z.output<typeof parameters>;

const text = z.string().nullable();
const number = z.number().nullable();

const result = z.object({
  camera: z
    .object({ make: text.describe("Maker, or null."), model: text.describe("Model, or null.") })
    .describe("The camera."),
  lens: text.describe("The lens, where the file names it in a standard tag, else null."),
  exposure: z
    .object({
      seconds: number.describe("Exposure time in seconds, or null."),
      fNumber: number.describe("Aperture as f-number, or null."),
      iso: number.describe("Sensitivity, or null."),
      focalLength: number.describe(
        "Focal length in millimetres, as engraved on the lens, or null.",
      ),
    })
    .describe("How it was exposed."),
  takenAt: text.describe(
    "When, by the camera's clock: 2021-04-11T15:47:53, with the file's own offset behind " +
      "it where there is one; or null.",
  ),
  gps: z
    .object({
      latitude: z.number().describe("Degrees, north positive."),
      longitude: z.number().describe("Degrees, east positive."),
      altitude: number.describe("Metres above the sea, or null."),
    })
    .nullable()
    .describe("Where, or null."),
  orientation: z
    .int()
    .min(1)
    .max(8)
    .describe("How the stored pixels lie, as in EXIF; 1 is upright."),
  colorProfile: text.describe("Name of the embedded colour profile, or null."),
  width: z.int().min(1).describe("Of the upright photo, in pixels."),
  height: z.int().min(1).describe("Of the upright photo, in pixels."),
  tags: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .describe(
      "All standard tags by name, those outside EXIF with their group (XMP:Rating); at " +
        "most 200, texts cut to 500 characters.",
    ),
});

export const metadata = defineTask({
  name: "metadata",
  title: "Metadata",
  description:
    "What the photo's file tells of camera, lens, exposure, time, place and colours, in " +
    "one plain shape.",
  parameters,
  result,
  minPhotos: 1,
  maxPhotos: 1,
  maxAttempts: 3,
  timeoutMs: 60_000,
  runsIn: "child",
  load: () => import("./run.js"),
});
