import type { Mutant } from "../mutant.js";

const URLS = ["security/signed-urls.test"];

const UPLOADS = ["services/photo-intake/limits.test"];

/** Signed URLs, and what is uploaded. */
export const MUTANTS: Mutant[] = [
  { breaks: "a signed URL works for ever", file: "src/photos/file-urls.ts", find: " && Number(expiry) > now() / 1000", replace: "", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "a signature holds for every path", file: "src/photos/file-urls.ts", find: "update(`v1\\n${path}\\n${expiry}`)", replace: "update(`v1\\n${path.length}\\n${expiry}`)", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "a signature holds for every expiry", file: "src/photos/file-urls.ts", find: "update(`v1\\n${path}\\n${expiry}`)", replace: "update(`v1\\n${path}\\n${expiry.length}`)", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "a signature is not looked at", file: "src/photos/file-urls.ts", find: "timingSafeEqual(given, mac(path, expiry))", replace: "timingSafeEqual(given, given)", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "a signature has several spellings", file: "src/photos/file-urls.ts", find: ' || given.toString("base64url") !== signature', replace: "", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "an expiry has several spellings", file: "src/photos/file-urls.ts", find: " || !/^\\d{1,12}$/.test(expiry)", replace: "", tests: ["photos/file-urls.test", ...URLS] },
  { breaks: "the door of files asks for no signature", file: "src/server/signed-files.ts", find: "if (!isSigned(request, options.fileUrls))", replace: "if (false)", tests: ["server/signed-files.test", ...URLS] },
  { breaks: "the path is checked as it was decoded", file: "src/server/signed-files.ts", find: 'const path = request.url.split("?", 1)[0] ?? "";', replace: 'const path = decodeURIComponent(request.url.split("?", 1)[0] ?? "");', tests: ["server/signed-files.test", ...URLS] },
  { breaks: "a file that was uploaded may run in the browser", file: "src/server/signed-files.ts", find: '"content-security-policy": "sandbox; default-src \'none\'",', replace: "", tests: ["server/signed-files.test", ...URLS] },
  { breaks: "a file goes out under a type that its name suggests", file: "src/server/signed-files.ts", find: '"content-type": file.mimeType,', replace: "", tests: ["server/signed-files.test", ...URLS] },
  { breaks: "a file may be sniffed", file: "src/server/signed-files.ts", find: '"x-content-type-options": "nosniff",\n      "cross-origin', replace: '"x-content-type-options": "",\n      "cross-origin', tests: ["server/signed-files.test", ...URLS] },
  { breaks: "a name may break out of its header", file: "src/photos/content-disposition.ts", find: "if (/^[\\w.-]+$/.test(filename))", replace: 'if (filename !== "")', tests: ["photos/content-disposition.test", "server/signed-files.test"] },
  { breaks: "an id that is none is asked of PostgreSQL", file: "src/server/signed-files.ts", find: " || !isUuid(id) || ", replace: " || (isUuid(id) && false) || ", tests: URLS },
  { breaks: "an upload is read before its token", file: "src/server/photo-uploads.ts", find: 'const { user } = await authenticator.fromRequest(request);\n  refuseTooLong(request, maxUploadBytes);', replace: 'for await (const _ of request.raw) void _;\n  const { user } = await authenticator.fromRequest(request);\n  refuseTooLong(request, maxUploadBytes);', tests: ["server/photo-uploads", "security/uploads.test"] },
  { breaks: "an upload may be of any length", file: "src/services/photo-intake.ts", find: "if (byteSize > maxBytes) throw", replace: "if (byteSize > 1e12 * maxBytes) throw", tests: ["services/photo-intake.test", "server/photo-uploads"] },
  { breaks: "an upload may be of any length if it says so", file: "src/server/photo-uploads.ts", find: 'if (Number(request.headers["content-length"] ?? 0) > most)', replace: "if (most < 0)", tests: ["server/photo-uploads", "security/uploads.test"] },
  { breaks: "a form may have a second file", file: "src/services/photo-intake.ts", find: "if (received) throw", replace: "if (false) throw", tests: ["services/photo-intake.test", "server/photo-uploads", "security/uploads.test"] },
  { breaks: "a file may have any field's name", file: "src/server/photo-uploads.ts", find: 'if (part.fieldname !== "file")', replace: "if (false)", tests: ["server/photo-uploads"] },
  { breaks: "an upload may come at a byte a second", file: "src/server/photo-uploads.ts", find: "const watch = watchUpload(request.raw, patience);", replace: "const watch = watchUpload(request.raw, { idleMs: patience.idleMs * 1e5, wholeMs: patience.wholeMs * 1e5 });", tests: ["server/upload-patience.test", "server/photo-uploads"] },
  { breaks: "a name keeps its folders", file: "src/server/clean-filename.ts", find: 'name.split(/[/\\\\]/).at(-1) ?? ""', replace: "name", tests: ["server/clean-filename.test", "security/uploads.test"] },
  { breaks: "a name may read other than it is", file: "src/server/clean-filename.ts", find: ".replaceAll(UNSEEN, \"\")", replace: ".replaceAll(UNSEEN, (character) => character)", tests: ["server/clean-filename.test", "security/uploads.test"] },
  { breaks: "one may store as much as one likes", file: "src/services/photos.ts", find: "and stored_bytes + ${row.byteSize} <= ${deps.maxStoredBytes} returning", replace: "and stored_bytes + ${photo.byteSize} <= 1e15 * ${deps.maxStoredBytes}::float8 returning", tests: ["services/photos.test"] },
  {
    breaks: "one user may upload any number at once",
    file: "src/services/uploads-under-way.ts",
    find: "if (ofUser.count >= MAX_PER_USER)",
    replace: "if (ofUser.count >= 1e9)",
    tests: UPLOADS,
  },
  {
    breaks: "uploads that are under way do not count against the storage of their user",
    file: "src/services/uploads-under-way.ts",
    find: "if (storedBytes + reserved >= this.#maxStoredBytes)",
    replace: "if (storedBytes + 0 * reserved >= this.#maxStoredBytes)",
    tests: UPLOADS,
  },
  {
    breaks: "an upload that goes on may fill what others have taken",
    file: "src/services/photo-intake.ts",
    find: "      upload.checkStorage(storedBytes);\n      upload.add(count);",
    replace: "      upload.add(count);",
    tests: UPLOADS,
  },
  {
    breaks: "all users together may fill the disk",
    file: "src/services/uploads-under-way.ts",
    find: "if (this.#bytes + bytes > this.#maxBytes)",
    replace: "if (this.#bytes + bytes > 1e9 * this.#maxBytes)",
    tests: UPLOADS,
  },
  {
    breaks: "the headers of one user stand before those of all others",
    file: "src/services/uploads-under-way.ts",
    find: "const result = ofUser.turn.then(work);",
    replace: "const result = Promise.resolve().then(work);",
    tests: UPLOADS,
  },
  {
    breaks: "the check of a header is waited for without end",
    file: "src/services/photo-intake.ts",
    find: "AbortSignal.timeout(deps.headerMs ?? HEADER_MS)",
    replace: "AbortSignal.timeout((deps.headerMs ?? HEADER_MS) * 5)",
    tests: UPLOADS,
  },
  {
    breaks: "any number of headers may wait to be checked",
    file: "src/imaging/photo-inspector.ts",
    find: "if (headers.waiting >= MAX_WAITING_PROBES)",
    replace: "if (headers.waiting >= 1e9)",
    tests: UPLOADS,
  },
  {
    breaks: "an upload whose twin was deleted fails",
    file: "src/services/photo-intake.ts",
    find: "for (let tries = 0; tries < 2; tries++)",
    replace: "for (let tries = 1; tries < 2; tries++)",
    tests: ["services/photo-intake.test"],
  },
];
