import { useSignal } from "@preact/signals";
import { thumbHashToAverageRGBA, thumbHashToDataURL } from "thumbhash";
import type { InputPhoto, Photo } from "../types.js";
import { useWorkspace } from "../workspace.js";
import { Icon } from "./frame/icons.js";

/**
 * A small picture of a photo, above its average colour until it is there. Set `isNamed` where no
 * text beside it names the photo, and `side` where it may be too large for the preview.
 */
export function Preview({
  photo,
  isNamed = false,
  side,
}: {
  photo: InputPhoto & Partial<Pick<Photo, "image">>;
  isNamed?: boolean;
  /** Side in pixels of the square that the picture fills. */
  side?: number;
}) {
  const isThere = useSignal(false);
  const { url, renew } = useFreshUrl(photo);
  return (
    <span class="preview" style={{ background: colourOf(photo.thumbhash) }}>
      {url ? (
        <img
          src={url}
          {...(side && photo.image && url === photo.previewUrl && sizesOf(photo, side))}
          alt={isNamed ? photo.filename : ""}
          // The grid draws only what is near; a lazy picture would wait for a frame.
          loading={side ? "eager" : "lazy"}
          decoding="async"
          class={isThere.value ? "is-there" : ""}
          onLoad={() => {
            isThere.value = true;
          }}
          onError={renew}
        />
      ) : (
        <span class="no-preview" {...(isNamed && { role: "img", "aria-label": photo.filename })}>
          <Icon name={photo.damaged ? "warning" : "photos"} />
        </span>
      )}
    </span>
  );
}

/** The longer side of a preview. */
const PREVIEW_PX = 512;
/** Width that the operations ask for. */
const IMAGE_PX = 1024;
/** Part of the needed width with which a picture still looks sharp. */
const SHARP = 0.8;

/** Lets the browser take a larger image for panoramas and dense screens. */
function sizesOf(
  { width, height, previewUrl, image }: InputPhoto & Partial<Pick<Photo, "image">>,
  side: number,
): { srcset?: string; sizes?: string } {
  const previewWidth = Math.round(width * Math.min(1, PREVIEW_PX / Math.max(width, height)));
  if (previewWidth === width) return {};
  return {
    srcset: `${previewUrl} ${previewWidth}w, ${image} ${Math.min(width, IMAGE_PX)}w`,
    sizes: `${Math.round(side * Math.max(1, width / height) * SHARP)}px`,
  };
}

/** Signed URLs expire after an hour, but a page may stay open for days. */
export function useFreshUrl({ id, previewUrl }: InputPhoto) {
  const { renewed } = useWorkspace();
  const fresh = useSignal<string | null>(null);
  const renew = (): void => {
    if (fresh.value === null)
      void renewed(id).then((photo) => {
        fresh.value = photo?.previewUrl ?? null;
      });
  };
  return { url: fresh.value ?? previewUrl, renew };
}

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

export function blurOf(thumbhash: string | null): string | undefined {
  return thumbhash === null ? undefined : thumbHashToDataURL(bytesOf(thumbhash));
}

const colours = new Map<string, string>();

/** Much cheaper than a blurred picture, where hundreds of photos come into sight at once. */
function colourOf(thumbhash: string | null): string | undefined {
  if (thumbhash === null) return undefined;
  const known = colours.get(thumbhash);
  if (known) return known;
  const { r, g, b } = thumbHashToAverageRGBA(bytesOf(thumbhash));
  const colour = `rgb(${[r, g, b].map((part) => Math.round(part * 255)).join(" ")})`;
  colours.set(thumbhash, colour);
  return colour;
}
