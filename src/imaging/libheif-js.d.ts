// The package has no types for this file. Only the used part of its C-like interface is declared.
// The objects are handles into the memory of the WebAssembly module and must be freed.
declare module "libheif-js/libheif-wasm/libheif-bundle.js" {
  type Context = { readonly __context: unique symbol };
  type ImageHandle = { readonly __handle: unique symbol };
  type Image = { readonly __image: unique symbol };
  /** `code` and `subcode` are enumeration members. */
  type Failure = { code: unknown; message: string };
  interface Decoded {
    image: Image;
    /** `data` is a view of the module's memory: it is invalid once the image is released. */
    channels: { id: unknown; width: number; height: number; stride: number; data: Uint8Array }[];
  }
  interface Libheif {
    heif_error_code: { heif_error_Ok: unknown };
    heif_colorspace: { heif_colorspace_RGB: unknown };
    heif_chroma: { heif_chroma_interleaved_RGB: unknown; heif_chroma_interleaved_RGBA: unknown };
    heif_context_alloc(): Context;
    heif_context_free(context: Context): void;
    heif_context_read_from_memory(context: Context, file: Uint8Array): Failure;
    heif_js_context_get_primary_image_handle(context: Context): ImageHandle | Failure;
    heif_image_handle_has_alpha_channel(handle: ImageHandle): number;
    heif_image_handle_is_premultiplied_alpha(handle: ImageHandle): number;
    heif_image_handle_release(handle: ImageHandle): void;
    heif_js_decode_image2(
      handle: ImageHandle,
      colorspace: unknown,
      chroma: unknown,
    ): Decoded | Failure;
    heif_image_release(image: Image): void;
  }
  /** Returns a new instance, which is ready at once. */
  export default function createLibheif(): Libheif;
}
