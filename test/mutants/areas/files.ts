import type { Mutant } from "../mutant.js";

const UPLOADS = ["services/photos/photo-intake/limits.test"];

/** Signed URLs and uploads. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "one user may have any number of concurrent uploads",
    file: "src/services/photos/uploads-under-way.ts",
    find: "if (ofUser.count >= MAX_PER_USER)",
    replace: "if (ofUser.count >= 1e9)",
    tests: UPLOADS,
  },
  {
    breaks: "uploads under way do not count against the storage of their user",
    file: "src/services/photos/uploads-under-way.ts",
    find: "if (storedBytes + reserved >= this.#maxStoredBytes)",
    replace: "if (storedBytes + 0 * reserved >= this.#maxStoredBytes)",
    tests: UPLOADS,
  },
  {
    breaks: "an upload that continues may fill room that others have taken",
    file: "src/services/photos/photo-intake.ts",
    find: "      upload.checkStorage(storedBytes);\n      upload.add(count);",
    replace: "      upload.add(count);",
    tests: UPLOADS,
  },
  {
    breaks: "all users together may fill the disk",
    file: "src/services/photos/uploads-under-way.ts",
    find: "if (this.#bytes + bytes > this.#maxBytes)",
    replace: "if (this.#bytes + bytes > 1e9 * this.#maxBytes)",
    tests: UPLOADS,
  },
  {
    breaks: "the headers of one user delay those of all others",
    file: "src/services/photos/uploads-under-way.ts",
    find: "const result = ofUser.turn.then(work);",
    replace: "const result = Promise.resolve().then(work);",
    tests: UPLOADS,
  },
  {
    breaks: "the check of a header is awaited without a limit",
    file: "src/services/photos/photo-intake.ts",
    find: "AbortSignal.timeout(deps.headerMs ?? HEADER_MS)",
    replace: "AbortSignal.timeout((deps.headerMs ?? HEADER_MS) * 5)",
    tests: UPLOADS,
  },
  {
    breaks: "the number of waiting headers is not limited",
    file: "src/imaging/inspect/photo-inspector.ts",
    find: "if (headers.waiting >= MAX_WAITING_PROBES)",
    replace: "if (headers.waiting >= 1e9)",
    tests: ["imaging/inspect/photo-inspector.test"],
  },
  {
    breaks: "an upload fails if its duplicate was deleted",
    file: "src/services/photos/photo-intake.ts",
    find: "for (let tries = 0; tries < 2; tries++)",
    replace: "for (let tries = 1; tries < 2; tries++)",
    tests: ["services/photos/photo-intake.test"],
  },
  {
    breaks: "a new key invalidates the URLs of the old one",
    file: "src/photos/file-urls.ts",
    find: "keys.some((key) =>",
    replace: "keys.slice(0, 1).some((key) =>",
    tests: ["photos/file-urls.test"],
  },
  {
    breaks: "an empty entry in the list of keys verifies",
    file: "src/photos/file-urls.ts",
    find: "map((key) => key.trim()).filter(Boolean);\n  const [signingKey",
    replace: "map((key) => key.trim());\n  const [signingKey",
    tests: ["photos/file-urls.test"],
  },
  {
    breaks: "the second of several keys may be short",
    file: "src/runtime/variables.ts",
    find: "const short = keys.findIndex((key) => key.length < 32);",
    replace: "const short = keys.slice(0, 1).findIndex((key) => key.length < 32);",
    tests: ["config.test"],
  },
  {
    breaks: "raw bytes without a proper content type are refused",
    file: "src/server/files/photo-uploads.ts",
    find: 'headers["content-type"] = RAW;',
    replace: 'headers["x-type"] = RAW;',
    tests: ["server/files/photo-uploads"],
  },
  {
    breaks: "a form is read as raw bytes",
    file: "src/server/files/photo-uploads.ts",
    find: "const FORM = /^\\s*multipart",
    replace: "const FORM = /^\\s*x-multipart",
    tests: ["server/files/photo-uploads"],
  },
  {
    breaks: "the refusal of another content type does not explain how to upload",
    file: "src/server/files/photo-uploads.ts",
    find: "&& !PHOTO.test(type)",
    replace: '&& type === ""',
    tests: ["server/files/photo-uploads"],
  },
  {
    breaks: "a photo may be called ..",
    file: "src/server/files/photo-uploads.ts",
    find: 'ONLY_DOTS.test(clean) ? "photo" :',
    replace: 'clean.length === 0 && ONLY_DOTS.test(clean) ? "photo" :',
    tests: ["server/files/photo-uploads/clean-filename.test", "server/files/signed-files"],
  },
  {
    breaks: "the URL of a file named .. leads elsewhere",
    file: "src/photos/file-urls.ts",
    find: 'name === "." || name === ".." ? "file" :',
    replace: 'name === "" ? "file" :',
    tests: ["server/files/signed-files"],
  },
];
