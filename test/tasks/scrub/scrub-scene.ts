import assert from "node:assert/strict";
import { sharp } from "../../../src/imaging/pixels/pixels.js";
import { scrub } from "../../../src/tasks/scrub/task.js";
import { noise } from "../../imaging/noise.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { exiftoolOfMany } from "../exiftool.js";
import { runTask } from "../run-task.js";
import { plantInJpeg, plantInPng, plantInWebp, withSecrets } from "./plant-secrets.js";

type Input = Parameters<typeof runTask<typeof scrub.parameters, typeof scrub.result>>[2];

export const RIGHTS_ONLY = ["IFD0:Artist", "IFD0:Copyright"];

const PICTURE_TAGS = new RegExp(
  `^(${[
    "SourceFile|System:|File:|ExifTool:|Composite:|JFIF:|ICC|Adobe:|RIFF:|VP8",
    "PNG(-pHYs)?:(Image(Width|Height)|BitDepth|ColorType|Compression|Filter|Interlace)",
    "PNG(-pHYs)?:(Pixel|SRGB|Profile)",
  ].join("|")})`,
);

export const UPRIGHT = {
  jpeg: async (rights = {}) =>
    plantInJpeg(await withSecrets(noise(60, 40), rights).jpeg().toBuffer()),
  progressive: async (rights = {}) =>
    plantInJpeg(await withSecrets(noise(60, 40), rights).jpeg({ progressive: true }).toBuffer()),
  png: async (rights = {}) => plantInPng(await withSecrets(noise(60, 40), rights).png().toBuffer()),
  webp: async (rights = {}) =>
    plantInWebp(await withSecrets(noise(60, 40), rights).webp().toBuffer()),
};

export const rawOf = (file: Buffer) => sharp(file, { failOn: "none" }).raw().toBuffer();
export const latin = (file: Buffer) => file.toString("latin1");

/** Scrubs photos for the tests of one file. */
export function createScrubScene() {
  const folder = temporaryFolder();
  /** Files that exiftool checks at the end, all at once, if it is installed. */
  const scrubbed: { path: string; left: string[] }[] = [];
  return {
    folder,
    async run(bytes: Uint8Array, input: Input = {}) {
      const taskRun = await runTask(scrub, folder.write(bytes), input);
      const [file] = taskRun.files.values();
      assert(file);
      return { ...taskRun, file };
    },
    exiftoolFinds(file: Buffer, left: string[]): void {
      scrubbed.push({ path: folder.write(file), left });
    },
    /** Checks that exiftool finds exactly the expected tags in all registered files. */
    askExiftool(atLeast: number): void {
      assert(scrubbed.length >= atLeast, String(scrubbed.length));
      const tagNames = exiftoolOfMany(scrubbed.map(({ path }) => path)).map((tags) =>
        Object.keys(tags)
          .filter((tag) => !PICTURE_TAGS.test(tag))
          .sort(),
      );
      assert.deepEqual(
        tagNames,
        scrubbed.map(({ left }) => left),
      );
    },
  };
}
