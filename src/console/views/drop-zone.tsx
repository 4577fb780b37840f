import { useEffect, useRef } from "preact/hooks";
import { bytes, number } from "../in-words.js";
import type { Upload } from "../photos/uploads.js";
import { useWorkspace } from "../workspace.js";
import { useFileDrop } from "./use-file-drop.js";

export function DropZone() {
  const { uploads, limits } = useWorkspace();
  const isOver = useFileDrop(uploads.add);
  const { maxUploadBytes, maxPhotoPixels } = limits.value;
  return (
    <>
      <label class={isOver.value ? "drop is-over" : "drop"}>
        <input
          type="file"
          multiple
          accept="image/*,.heic,.heif,.avif"
          onChange={(event) => {
            uploads.add(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
          }}
        />
        <strong>{isOver.value ? "Let go to upload" : "Add photos"}</strong>
        <small>
          Press here, or drop them anywhere on the page. JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC; up
          to {bytes(maxUploadBytes)} and {number(Math.round(maxPhotoPixels / 1e6))} megapixels.
        </small>
      </label>
      <UploadList />
    </>
  );
}

function UploadList() {
  const { uploads } = useWorkspace();
  const list = uploads.list.value;
  const ref = useRef<HTMLUListElement>(null);
  const newest = list.at(-1)?.id;
  // They may have been dropped far from here.
  useEffect(() => ref.current?.scrollIntoView({ block: "nearest" }), [newest]);
  if (list.length === 0) return null;
  const isDone = list.some(({ state }) => state === "done" || state === "already-here");
  return (
    <>
      <ul class="uploads" ref={ref} aria-label="Uploads" tabIndex={0}>
        {list.map((upload) => (
          <UploadLine key={upload.id} upload={upload} />
        ))}
      </ul>
      {isDone && (
        <button type="button" class="link" onClick={uploads.clearDone}>
          Clear those that are done
        </button>
      )}
    </>
  );
}

const WORDS: Record<Upload["state"], string> = {
  waiting: "waiting",
  sending: "being looked at",
  done: "uploaded",
  "already-here": "already here",
  failed: "failed",
};

function UploadLine({ upload: { id, file, state, progress, error } }: { upload: Upload }) {
  const { uploads } = useWorkspace();
  return (
    <li class={`is-${state}`}>
      <span class="name" title={file.name}>
        {file.name}
      </span>
      <span class="faint">
        {state === "sending" && progress < 1 ? `${Math.floor(progress * 100)} %` : WORDS[state]}
      </span>
      {(state === "sending" || state === "waiting") && (
        <progress value={progress} max={1} aria-label={`Upload of ${file.name}`} />
      )}
      {state === "failed" && (
        <>
          <span role="alert" class="fault">
            {error}
          </span>
          <span class="buttons">
            <button
              type="button"
              class="link"
              onClick={() => uploads.retry(id)}
              aria-label={`Retry ${file.name}`}
            >
              Retry
            </button>
            <button
              type="button"
              class="link"
              onClick={() => uploads.dismiss(id)}
              aria-label={`Dismiss ${file.name}`}
            >
              Dismiss
            </button>
          </span>
        </>
      )}
    </li>
  );
}
