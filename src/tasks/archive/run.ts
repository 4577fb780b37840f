import { createReadStream } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { ZipFile } from "yazl";
import { PermanentTaskError } from "../../domain/errors.js";
import type { TaskContext, TaskPhoto } from "../define-task.js";
import type { ArchiveParameters } from "./task.js";
import { entryNames } from "./entry-names.js";

/**
 * Maximum bytes of all photos. With names and headers, the archive then has less than 2 GiB, the
 * largest size that the API can report.
 */
const MAX_BYTES = 2 ** 31 - 2 ** 20;
/** Progress when everything is written; the rest is the upload of the archive to the storage. */
const WRITTEN = 0.8;
/** Bytes read at once; larger pieces are not faster. */
const CHUNK_BYTES = 256 * 1024;

export async function run(context: TaskContext<ArchiveParameters>) {
  const { photos, signal, progress, output } = context;
  const totalBytes = photos.reduce((sum, { byteSize }) => sum + byteSize, 0);
  if (totalBytes > MAX_BYTES)
    throw new PermanentTaskError(
      "ARCHIVE_TOO_LARGE",
      `The photos have ${(totalBytes / 2 ** 30).toFixed(1)} GiB; an archive may have at most ` +
        "2 GiB. Submit several archives of fewer photos.",
    );
  const source = createPhotoSource(context);
  const zip = addAbortSignal(signal, zipOf(photos, source.open));
  try {
    const { byteSize } = await output({
      name: "photos.zip",
      mimeType: "application/zip",
      data: counted(zip, totalBytes, (fraction) =>
        progress(WRITTEN * fraction, `adding photo ${source.opened} of ${photos.length}`),
      ),
    });
    return { files: photos.length, byteSize };
  } finally {
    source.close();
  }
}

/** Opens one photo after the other. */
function createPhotoSource({ fetchPhoto }: TaskContext<ArchiveParameters>) {
  let current: Readable | null = null;
  let opened = 0;
  return {
    get opened() {
      return opened;
    },
    async open(photo: TaskPhoto): Promise<Readable> {
      const path = await fetchPhoto(photo);
      opened++;
      return (current = createReadStream(path, { highWaterMark: CHUNK_BYTES }));
    },
    /** The library leaves the photo open when the archive is aborted. */
    close: () => current?.destroy(),
  };
}

/**
 * Returns the bytes of an archive without compression, because photos are compressed already. Times
 * are those of the uploads, so that the same photos give the same bytes.
 */
function zipOf(photos: TaskPhoto[], open: (photo: TaskPhoto) => Promise<Readable>): Readable {
  const zip = new ZipFile();
  const bytes = zip.outputStream as Readable;
  zip.on("error", (error: Error) => bytes.destroy(error));
  // The reader of the stream throws the error; without a listener it would also end the process.
  bytes.on("error", () => {});
  const names = entryNames(photos);
  for (const [index, photo] of photos.entries()) {
    const options = {
      mtime: new Date(photo.createdAt),
      mode: 0o100644,
      compress: false,
      size: photo.byteSize,
    };
    zip.addReadStreamLazy(names[index] ?? "", options, (pass) => {
      open(photo).then(
        (stream) => {
          stream.on("error", (error) => bytes.destroy(error));
          // The archive was aborted while the photo was fetched.
          if (bytes.destroyed) stream.destroy();
          else pass(null, stream);
        },
        (error: Error) => bytes.destroy(error),
      );
    });
  }
  zip.end();
  return bytes;
}

/** Passes bytes on, and reports the progress after each hundredth. */
async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  totalBytes: number,
  report: (fraction: number) => void,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  let reported = 0;
  for await (const chunk of bytes) {
    yield chunk;
    done += chunk.byteLength;
    if (done - reported < totalBytes / 100) continue;
    reported = done;
    report(Math.min(1, done / totalBytes));
  }
}
