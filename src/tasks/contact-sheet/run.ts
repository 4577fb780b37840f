import { isAboutPhoto, PhotoTooLargeError, PhotoUnreadableError } from "../../domain/errors.js";
import { decodePhoto, type DecodedPhoto } from "../../imaging/pixels/decode-photo.js";
import { encodePixels } from "../../imaging/pixels/encode-pixels.js";
import { OUTPUT_FILES, DEFAULT_MAX_PIXELS } from "../../imaging/formats/photo-format.js";
import type { TaskContext, TaskPhoto } from "../define-task.js";
import type { ContactSheetParameters } from "./task.js";
import { fromPixels, type Pixels, toPixels } from "../../imaging/pixels/pixels.js";

/** Half of the maximum side of JPEG and of most programs. */
const MAX_SIDE = 32_767;
const MAX_PIXELS = 105_000_000;
/** Space on each side of a photo, as a share of its cell. */
const PADDING = 1 / 32;

type Context = TaskContext<ContactSheetParameters>;

export async function run(context: Context) {
  const { photos, signal, progress, output } = context;
  const { cellWidth: cell, columns: wanted = Math.ceil(Math.sqrt(photos.length)) } =
    context.parameters;
  const columns = Math.min(wanted, photos.length);
  const maxRows = Math.ceil(photos.length / columns);
  checkSize(columns * cell, maxRows * cell);
  const sheet = createSheet({ columns, rows: maxRows, cell });
  const { warnings, placed } = await placePhotos(context, sheet);
  signal.throwIfAborted();
  const rows = Math.ceil(placed / columns);
  progress(0.9, "encoding JPEG");
  const pixels = sheet.upTo(rows);
  const data = await encodePixels(pixels, "jpeg");
  progress(0.95, "writing");
  const { width, height } = pixels;
  await output({
    name: "contact-sheet.jpg",
    mimeType: OUTPUT_FILES.jpeg.mimeType,
    width,
    height,
    data,
  });
  progress(1, "done");
  return { columns, rows, width, height, ...(warnings.length > 0 && { warnings }) };
}

function checkSize(width: number, height: number): void {
  if (Math.max(width, height) <= MAX_SIDE && width * height <= MAX_PIXELS) return;
  const advice =
    width > height
      ? "Choose fewer columns or smaller cells."
      : "Choose more columns or smaller cells.";
  throw new PhotoTooLargeError(
    `The sheet would measure ${width} × ${height} pixels; a side may have at most ` +
      `${MAX_SIDE} pixels. ${advice}`,
  );
}

async function placePhotos(
  context: Context,
  sheet: Sheet,
): Promise<{ warnings: string[]; placed: number }> {
  const { photos, signal, progress } = context;
  const warnings: string[] = [];
  let placed = 0;
  for (const [index, photo] of photos.entries()) {
    signal.throwIfAborted();
    progress((0.9 * index) / photos.length, `placing photo ${index + 1} of ${photos.length}`);
    const decoded = await decodeUnlessSkipped(context, photo, index);
    if (decoded.pixels) await sheet.place(decoded.pixels, placed++);
    warnings.push(...decoded.warnings.map((warning) => `photo ${index + 1}: ${warning}`));
  }
  if (placed === 0) throw new PhotoUnreadableError("None of the photos can be read.");
  return { warnings, placed };
}

/** Without pixels for a photo that is left out. */
async function decodeUnlessSkipped(
  context: Context,
  photo: TaskPhoto,
  index: number,
): Promise<{ pixels?: Pixels; warnings: readonly string[] }> {
  try {
    return await decodeInto(context, photo, index);
  } catch (error) {
    if (!context.parameters.skipUnreadable || !isAboutPhoto(error)) throw error;
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    return { warnings: [`${photo.filename} was left out: ${reason}`] };
  }
}

/** Adds to an error which of the photos is bad. */
async function decodeInto(
  { parameters: { cellWidth }, photos, maxPixels = DEFAULT_MAX_PIXELS }: Context,
  { path, filename }: TaskPhoto,
  index: number,
): Promise<DecodedPhoto> {
  const side = cellWidth - 2 * Math.round(cellWidth * PADDING);
  try {
    return await decodePhoto(path, { maxPixels, width: side, height: side });
  } catch (error) {
    if (!isAboutPhoto(error)) throw error;
    const message = `Photo ${index + 1} of ${photos.length} (${filename}): ${error.message}`;
    throw error instanceof PhotoTooLargeError
      ? new PhotoTooLargeError(message, { cause: error })
      : new PhotoUnreadableError(message, { cause: error });
  }
}

/**
 * A white page of square cells. The pictures are copied one by one into one buffer, which is five
 * times faster than compositing a hundred of them.
 */
interface Sheet {
  /** The page with this many rows. */
  upTo(rows: number): Pixels;
  /**
   * Puts a picture, which must fit into a cell, into the middle of the cell at `index`, counted row
   * by row.
   */
  place(picture: Pixels, index: number): Promise<void>;
}

function createSheet({
  columns,
  rows,
  cell,
}: {
  columns: number;
  rows: number;
  cell: number;
}): Sheet {
  const [width, height] = [columns * cell, rows * cell];
  const data = Buffer.alloc(3 * width * height, 255);
  async function place(picture: Pixels, index: number): Promise<void> {
    const opaque =
      picture.channels === 3
        ? picture
        : await toPixels(fromPixels(picture).flatten({ background: "#ffffff" }));
    const left = (index % columns) * cell + Math.floor((cell - opaque.width) / 2);
    const top = Math.floor(index / columns) * cell + Math.floor((cell - opaque.height) / 2);
    const stride = 3 * opaque.width;
    for (let row = 0; row < opaque.height; row++)
      opaque.data.copy(data, 3 * ((top + row) * width + left), row * stride, (row + 1) * stride);
  }
  return {
    place,
    upTo: (used) => ({
      data: data.subarray(0, 3 * width * used * cell),
      width,
      height: used * cell,
      channels: 3,
    }),
  };
}
