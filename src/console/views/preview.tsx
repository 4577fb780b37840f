import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { thumbHashToDataURL } from "thumbhash";
import type { Photo } from "../types.js";

/** A photo, small: its blurred placeholder at once, itself as soon as it is there. `isNamed` where nothing beside it says which it is. */
export function Preview({ photo, whole = false, isNamed = false }: { photo: Pick<Photo, "filename" | "previewUrl" | "thumbhash">; whole?: boolean; isNamed?: boolean }) {
  const isThere = useSignal(false);
  const blur = useMemo(() => (photo.thumbhash ? thumbHashToDataURL(Uint8Array.from(atob(photo.thumbhash), (char) => char.charCodeAt(0))) : null), [photo.thumbhash]);
  return (
    <span class={whole ? "preview is-whole" : "preview"}>
      {blur && <img src={blur} alt="" class="blur" aria-hidden="true" />}
      {photo.previewUrl
        ? <img src={photo.previewUrl} alt={isNamed ? photo.filename : ""} loading="lazy" decoding="async" class={isThere.value ? "is-there" : ""} onLoad={() => { isThere.value = true; }} />
        : <span class="no-preview">{photo.filename}</span>}
    </span>
  );
}
