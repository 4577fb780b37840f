import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Real photos, if they exist beside the repository; this file runs from `dist/test/imaging/`. */
export const sharedPhotos = fileURLToPath(new URL("../../../../shared/photos/", import.meta.url));

/** The reason for a test's `skip`, or false. */
export const noSharedPhotos = existsSync(sharedPhotos)
  ? false
  : `the photos of real cameras are missing in ${sharedPhotos}`;
