import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Real photos that may lie beside the checkout; this file is run from `dist/test/imaging/`. */
export const sharedPhotos = fileURLToPath(new URL("../../../../shared/photos/", import.meta.url));

/** For a test's `skip`. */
export const noSharedPhotos = existsSync(sharedPhotos)
  ? false
  : `there are no photos of real cameras in ${sharedPhotos}`;
