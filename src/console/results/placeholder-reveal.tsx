import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Photo } from "../types.js";
import type { PlaceholderResult } from "./result-types.js";

const BLURRED_MS = 1200;

/** The blurred placeholder, which turns into the photo, and back and forth again on demand. */
export function PlaceholderReveal({
  result,
  photo,
}: {
  result: PlaceholderResult;
  photo: Photo | undefined;
}) {
  const isClear = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      isClear.value = true;
    }, BLURRED_MS);
    return () => clearTimeout(timer);
  }, []);
  const { lqip, averageColor, aspectRatio, blurhash, thumbhash } = result;
  return (
    <figure class="reveal">
      <button
        type="button"
        aria-pressed={isClear.value}
        aria-label="Show the photo itself"
        style={{ aspectRatio: String(aspectRatio), background: averageColor }}
        onClick={() => {
          isClear.value = !isClear.value;
        }}
      >
        <img src={lqip} alt="" class="blur" />
        {photo && (
          <img
            src={photo.previewUrl ?? photo.url}
            alt={photo.filename}
            class={isClear.value ? "is-there" : ""}
          />
        )}
      </button>
      <figcaption class="faint">
        Press it to see the placeholder of {lqip.length} characters again. Average colour{" "}
        <span class="chip is-small" style={{ background: averageColor }} aria-hidden="true" />{" "}
        <code>{averageColor}</code>, thumbhash <code>{thumbhash}</code>, blurhash{" "}
        <code>{blurhash}</code>
      </figcaption>
    </figure>
  );
}
