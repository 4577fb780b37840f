import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { bytes, moment } from "../in-words.js";
import type { CropResult, OutputFile, PlaceholderResult } from "../../../client/src/index.js";
import type { InputPhoto } from "../types.js";
import { Icon } from "../views/frame/icons.js";
import { isComparable } from "../views/lightbox/compare.js";
import { useFreshUrl } from "../views/preview.js";
import { useWorkspace } from "../workspace.js";
import { DownloadAll } from "./download-all.js";

/** The output files of a job: pictures with what can be done with them. */
export function OutputPictures({
  queuedJobId,
  outputs,
  expiresAt,
  photo,
  onCompare,
}: {
  queuedJobId: string;
  outputs: readonly OutputFile[];
  /** When the job is deleted, and its files with it. */
  expiresAt: string | null;
  /** The photo that the outputs are compared with. */
  photo?: InputPhoto | undefined;
  onCompare?: (output: OutputFile) => void;
}) {
  return (
    <>
      <ul class={outputs.length === 1 ? "outputs is-one" : "outputs"} aria-label="Files">
        {outputs.map((output) => (
          <Output
            key={output.name}
            queuedJobId={queuedJobId}
            output={output}
            onCompare={onCompare && isComparable(photo, output) ? onCompare : undefined}
          />
        ))}
      </ul>
      <DownloadAll outputs={outputs} name={photo?.filename.replace(/\.\w+$/, "") ?? "files"} />
      {expiresAt && <p class="faint">Files expire {moment(expiresAt)} unless kept.</p>}
    </>
  );
}

function Output({
  queuedJobId,
  output,
  onCompare,
}: {
  queuedJobId: string;
  output: OutputFile;
  onCompare: ((output: OutputFile) => void) | undefined;
}) {
  const { name, url, width, height, byteSize, mimeType } = output;
  const isPicture = mimeType.startsWith("image/");
  const size = width && height && `${width} × ${height}`;
  return (
    <li>
      <a href={url} target="_blank" rel="noreferrer">
        {isPicture && (
          <img
            src={url}
            alt=""
            loading="lazy"
            width={width ?? undefined}
            height={height ?? undefined}
            // The buttons below a tall picture stay in sight.
            style={{ maxWidth: `min(100%, ${50 * ((width ?? 1) / (height ?? 1))}dvh)` }}
          />
        )}
        <span class="name">{name}</span>
      </a>
      <span class="faint">{[size, bytes(byteSize)].filter(Boolean).join(" · ")}</span>
      <span class="buttons">
        {onCompare && (
          <button
            type="button"
            class="small"
            aria-label={`Compare: ${name}`}
            onClick={() => onCompare(output)}
          >
            Compare
          </button>
        )}
        {isPicture && <KeepButton queuedJobId={queuedJobId} name={name} />}
        <a
          class="button small"
          href={url}
          download={name}
          aria-label={`Download: ${name}`}
          title="Download"
        >
          <Icon name="download" size={16} />
        </a>
      </span>
    </li>
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
        class="small"
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

function WholePreview({ photo }: { photo: InputPhoto }) {
  const { url, renew } = useFreshUrl(photo);
  return (
    <img
      class="whole"
      src={url ?? photo.url}
      srcset={photo.srcset}
      sizes="(max-width: 60rem) 100vw, 40rem"
      alt={photo.filename}
      width={photo.width}
      height={photo.height}
      onError={renew}
    />
  );
}

/** The upright photo with the outlines of its crops. */
export function CropBoxes({
  result: { crops },
  photo,
}: {
  result: CropResult;
  photo: InputPhoto | undefined;
}) {
  if (!photo) return null;
  const percent = (part: number, whole: number): string => `${(part / whole) * 100}%`;
  return (
    <div class="crop-boxes">
      <WholePreview photo={photo} />
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
  photo: InputPhoto | undefined;
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
        <span class="swatch is-small" style={{ background: averageColor }} aria-hidden="true" />{" "}
        <code>{averageColor}</code>, thumbhash <code>{thumbhash}</code>, blurhash{" "}
        <code>{blurhash}</code>
      </figcaption>
    </figure>
  );
}
