import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bytes } from "../in-words.js";
import type { CropResult, OutputFile, PlaceholderResult } from "../../../client/src/index.js";
import type { Photo } from "../types.js";
import { Preview } from "../views/preview.js";
import { useWorkspace } from "../workspace.js";

/** The output files of a job, each as a link. */
export function OutputPictures({
  queuedJobId,
  outputs,
}: {
  queuedJobId: string;
  outputs: readonly OutputFile[];
}) {
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
          {output.mimeType.startsWith("image/") && (
            <KeepButton queuedJobId={queuedJobId} name={output.name} />
          )}
        </li>
      ))}
    </ul>
  );
}

const KEEP_WORDS = { offered: "Keep", busy: "Keeping…", kept: "Kept in your photos" };

/** Copies an output to the photos, because it is deleted with its job. */
function KeepButton({ queuedJobId, name }: { queuedJobId: string; name: string }) {
  const { keepOutput } = useWorkspace();
  const state = useSignal<keyof typeof KEEP_WORDS>("offered");
  const fault = useSignal<string | null>(null);
  async function keep(): Promise<void> {
    state.value = "busy";
    fault.value = await keepOutput(queuedJobId, name).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    state.value = fault.value === null ? "kept" : "offered";
  }
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={`${KEEP_WORDS[state.value]}: ${name}`}
        disabled={state.value !== "offered"}
        onClick={() => void keep()}
      >
        {KEEP_WORDS[state.value]}
      </button>
      {fault.value && (
        <span class="warning" role="alert">
          {fault.value}
        </span>
      )}
    </>
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
