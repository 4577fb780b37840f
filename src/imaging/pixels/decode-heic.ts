import type {
  Context,
  Decoded,
  Failure,
  ImageHandle,
  Libheif,
} from "libheif-js/libheif-wasm/libheif-bundle.js";

/**
 * Decodes the primary picture of a HEIC file, rotated as its container says, into an uncompressed
 * TIFF in memory. In this form the image library accepts pixels together with their ICC profile.
 * The result has 8 bits per channel; HDR, depth and video data are left out. Beware: it blocks its
 * thread for seconds and takes up to 18 bytes per pixel, so it is for child processes only. Throws
 * an Error with the decoder's message.
 */
export async function decodeHeic(file: Uint8Array, iccProfile: Buffer | null): Promise<Buffer> {
  // Imported only when needed: it takes 60 ms, and most photos do not need it.
  const { default: createLibheif } = await import("libheif-js/libheif-wasm/libheif-bundle.js");
  // A new instance for each photo, which takes 10 ms: its memory never shrinks, and a hostile photo
  // may leave it in any state.
  const libheif = createLibheif();
  const context = libheif.heif_context_alloc();
  try {
    return decodePrimary(libheif, context, file, iccProfile);
  } finally {
    libheif.heif_context_free(context);
  }
}

function decodePrimary(
  libheif: Libheif,
  context: Context,
  file: Uint8Array,
  iccProfile: Buffer | null,
): Buffer {
  const read = libheif.heif_context_read_from_memory(context, file);
  if (read.code !== libheif.heif_error_code.heif_error_Ok) fail(read);
  const handle = orFail(libheif.heif_js_context_get_primary_image_handle(context));
  try {
    return decodeHandle(libheif, handle, iccProfile);
  } finally {
    libheif.heif_image_handle_release(handle);
  }
}

function decodeHandle(libheif: Libheif, handle: ImageHandle, iccProfile: Buffer | null): Buffer {
  const hasAlpha = libheif.heif_image_handle_has_alpha_channel(handle) !== 0;
  const premultiplied = hasAlpha && libheif.heif_image_handle_is_premultiplied_alpha(handle) !== 0;
  const { heif_chroma_interleaved_RGB, heif_chroma_interleaved_RGBA } = libheif.heif_chroma;
  const chroma = hasAlpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  const decoded = orFail(
    libheif.heif_js_decode_image2(handle, libheif.heif_colorspace.heif_colorspace_RGB, chroma),
  );
  try {
    return toTiff(decoded, { channels: hasAlpha ? 4 : 3, premultiplied, iccProfile });
  } finally {
    libheif.heif_image_release(decoded.image);
  }
}

function toTiff(
  { channels: [plane] }: Decoded,
  { channels, ...rest }: { channels: 3 | 4; premultiplied: boolean; iccProfile: Buffer | null },
): Buffer {
  if (plane === undefined) throw new Error("The decoder returned no picture.");
  const { width, height, stride, data } = plane;
  const header = tiffHeader({ width, height, channels, ...rest });
  const row = width * channels;
  // One buffer for header and pixels saves a copy of 48 megapixels.
  const tiff = Buffer.allocUnsafe(header.length + row * height);
  header.copy(tiff);
  for (let y = 0; y < height; y++)
    tiff.set(data.subarray(y * stride, y * stride + row), header.length + y * row);
  return tiff;
}

function orFail<T extends object>(answer: T | Failure): T {
  return "code" in answer ? fail(answer) : answer;
}

/** An exceeded security limit of the decoder counts as damage, not as a lack of memory. */
function fail({ message }: Failure): never {
  throw new Error(message.replace(/^.*(?=Security limit)/, ""));
}

interface TiffPicture {
  width: number;
  height: number;
  channels: 3 | 4;
  /** True when the colours were multiplied with the alpha. */
  premultiplied: boolean;
  iccProfile: Buffer | null;
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;

/**
 * The header of an uncompressed little-endian TIFF with one strip and 8 bits per channel. It is the
 * shortest way to pass pixels together with their profile. See TIFF 6.0, sections 2, 6 and 18; the
 * tag of the profile is defined in ICC.1, annex B.
 */
export function tiffHeader({
  width,
  height,
  channels,
  premultiplied,
  iccProfile,
}: TiffPicture): Buffer {
  const hasAlpha = channels === 4;
  const count = 10 + Number(hasAlpha) + Number(iccProfile !== null);
  const bitsAt = 8 + 2 + 12 * count + 4;
  const profileAt = bitsAt + 2 * channels;
  const pixelsAt = profileAt + (iccProfile?.length ?? 0);
  const entries: [tag: number, type: number, count: number, value: number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, channels, bitsAt],
    [259, SHORT, 1, 1], // not compressed
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, channels],
    [278, LONG, 1, height],
    [279, LONG, 1, width * height * channels],
    [284, SHORT, 1, 1], // interleaved
    ...(hasAlpha
      ? ([[338, SHORT, 1, premultiplied ? 1 : 2]] as [number, number, number, number][])
      : []),
    ...(iccProfile
      ? ([[34_675, UNDEFINED, iccProfile.length, profileAt]] as [number, number, number, number][])
      : []),
  ];
  const header = Buffer.alloc(pixelsAt);
  header.write("II*\0\x08\0\0\0", "latin1");
  header.writeUInt16LE(count, 8);
  entries.forEach((entry, index) => writeEntry(header, 10 + 12 * index, entry));
  for (let channel = 0; channel < channels; channel++)
    header.writeUInt16LE(8, bitsAt + 2 * channel);
  iccProfile?.copy(header, profileAt);
  return header;
}

function writeEntry(
  header: Buffer,
  at: number,
  [tag, type, count, value]: [number, number, number, number],
): void {
  header.writeUInt16LE(tag, at);
  header.writeUInt16LE(type, at + 2);
  header.writeUInt32LE(count, at + 4);
  // A single SHORT is stored in the first two bytes, which is the same in little-endian order.
  header.writeUInt32LE(value, at + 8);
}
