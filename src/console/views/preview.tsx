import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { thumbHashToDataURL } from "thumbhash";
import type { Photo } from "../types.js";
import { useWorkspace } from "../workspace.js";

/**
 * A small version of a photo: first its blurred placeholder, then the loaded preview. Set
 * `isNamed` where no text beside it names the photo.
 */
export function Preview({
  photo,
  whole = false,
  isNamed = false,
}: {
  photo: Photo;
  whole?: boolean;
  isNamed?: boolean;
}) {
  const { findPhotos, latePreviews } = useWorkspace();
  const isThere = useSignal(false);
  const renewed = useSignal<string | null>(null);
  // Signed URLs expire after an hour, but a page may stay open for days.
  const renew = (): void => {
    if (renewed.value === null)
      void findPhotos([photo.id]).then(
        ([current]) => {
          renewed.value = current?.previewUrl ?? null;
        },
        () => {},
      );
  };
  const url = renewed.value ?? photo.previewUrl ?? latePreviews.urlOf(photo.id).value;
  const blur = useMemo(
    () =>
      photo.thumbhash
        ? thumbHashToDataURL(Uint8Array.from(atob(photo.thumbhash), (char) => char.charCodeAt(0)))
        : null,
    [photo.thumbhash],
  );
  return (
    <span class={whole ? "preview is-whole" : "preview"}>
      {blur && <img src={blur} alt="" class="blur" aria-hidden="true" />}
      {url ? (
        <img
          src={url}
          srcset={renewed.value === null ? photo.srcset : undefined}
          sizes={whole ? "(max-width: 60rem) 100vw, 32rem" : "10rem"}
          alt={isNamed ? photo.filename : ""}
          loading="lazy"
          decoding="async"
          class={isThere.value ? "is-there" : ""}
          onLoad={() => {
            isThere.value = true;
          }}
          onError={renew}
        />
      ) : (
        <span class="no-preview">{photo.filename}</span>
      )}
    </span>
  );
}
