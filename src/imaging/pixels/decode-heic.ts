import type {
  Context,
  Decoded,
  Failure,
  ImageHandle,
  Libheif,
} from "libheif-js/libheif-wasm/libheif-bundle.js";
import { tiffHeader } from "../formats/tiff-header.js";

/**
 * Decodes the primary picture of a HEIC file, turned as its container says, into an uncompressed
 * TIFF in memory, the form in which pixels and their ICC profile reach the image library together.
 * 8 bits a channel; what a file has of HDR, depth and film is left out. Blocks its thread for
 * seconds and takes up to 18 bytes a pixel: for child processes only. Throws an Error with the
 * decoder's words.
 */
export async function decodeHeic(file: Uint8Array, iccProfile: Buffer | null): Promise<Buffer> {
  // Loaded late: 60 ms, and most photos need it not.
  const { default: createLibheif } = await import("libheif-js/libheif-wasm/libheif-bundle.js");
  // An instance of its own for each photo, 10 ms: its memory never shrinks, and a hostile photo may
  // leave it in any state.
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
  if (plane === undefined) throw new Error("The decoder gave no picture.");
  const { width, height, stride, data } = plane;
  const header = tiffHeader({ width, height, channels, ...rest });
  const row = width * channels;
  // One buffer for both: a copy of 48 megapixels less.
  const tiff = Buffer.allocUnsafe(header.length + row * height);
  header.copy(tiff);
  for (let y = 0; y < height; y++)
    tiff.set(data.subarray(y * stride, y * stride + row), header.length + y * row);
  return tiff;
}

function orFail<T extends object>(answer: T | Failure): T {
  return "code" in answer ? fail(answer) : answer;
}

/**
 * What is over one of the decoder's security limits is counted as damage, not as a want of memory.
 */
function fail({ message }: Failure): never {
  throw new Error(message.replace(/^.*(?=Security limit)/, ""));
}
