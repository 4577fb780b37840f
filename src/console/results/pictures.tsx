import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bytes } from "../in-words.js";
import type { CropResult, OutputFile, PlaceholderResult } from "../../../client/src/index.js";
import type { Photo } from "../types.js";
import { Preview } from "../views/preview.js";

/** The output files of a job, each as a link. */
export function OutputPictures({ outputs }: { outputs: readonly OutputFile[] }) {
  return (
    <ul class={outputs.length === 1 ? "outputs is-one" : "outputs"} aria-label="Files">
      {outputs.map((output) => (
        <li key={output.name}>
          <a href={output.url} target="_blank" rel="noreferrer">
            {output.mimeType.startsWith("image/") && (
              <img
                src={output.url}
                alt=""
                loading="lazy"
                width={output.width ?? undefined}
                height={output.height ?? undefined}
              />
            )}
            <span class="name">{output.name}</span>
          </a>
          <span class="faint">
            {[
              output.width && output.height && `${output.width} × ${output.height}`,
              bytes(output.byteSize),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The upright photo with the outlines of its crops. */
export function CropBoxes({
  result: { crops },
  photo,
}: {
  result: CropResult;
  photo: Photo | undefined;
}) {
  if (!photo) return null;
  const percent = (part: number, whole: number): string => `${(part / whole) * 100}%`;
  return (
    <div class="crop-boxes">
      <Preview photo={photo} whole isNamed />
      {crops.map(({ ratio, left, top, width, height }, i) => (
        <span
          key={ratio}
          class={`box tone-${i % 4}`}
          title={`${ratio}: ${width} × ${height} at ${left}, ${top}`}
          style={{
            left: percent(left, photo.width),
            top: percent(top, photo.height),
            width: percent(width, photo.width),
            height: percent(height, photo.height),
          }}
        >
          <span>{ratio}</span>
        </span>
      ))}
    </div>
  );
}

const BLURRED_MS = 1200;

/** The blurred placeholder, which turns into the photo. A click toggles between them. */
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
        aria-label="Show the photo"
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
        Click to toggle the placeholder ({lqip.length} characters). Average colour{" "}
        <span class="chip is-small" style={{ background: averageColor }} aria-hidden="true" />{" "}
        <code>{averageColor}</code>, thumbhash <code>{thumbhash}</code>, blurhash{" "}
        <code>{blurhash}</code>
      </figcaption>
    </figure>
  );
}
