import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ANY_PHOTO } from "../../address/address.js";
import { router } from "../../address/router.js";
import { bytes, duration, plural } from "../../in-words.js";
import { isOver, type Total, type Upload } from "../../uploads/uploads.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "../frame/compose.js";
import { Icon } from "../frame/icons.js";
import { useFileDrop, useFilePaste } from "./file-drop.js";
import { InterruptedUploads } from "./interrupted-uploads.js";

const CLEARED_MS = 20_000;
/** A batch may have thousands of files, of which the first that need attention are shown. */
const MAX_LINES = 60;

/** The uploads of the present batch, above the view. */
export function UploadPanel() {
  const { uploads, interrupted } = useWorkspace();
  const { list, total, isRunning } = uploads;
  useFilePaste(uploads.add);
  const isDone = !isRunning.value && total.value.failed === 0;
  const { length } = list.value;
  useEffect(() => {
    if (!isDone || length === 0) return undefined;
    const timer = setTimeout(uploads.clear, CLEARED_MS);
    return () => clearTimeout(timer);
  }, [isDone, length]);
  if (length === 0 && interrupted.files.value.length === 0) return null;
  return (
    <section class="upload-panel" aria-label="Uploads">
      <InterruptedUploads />
      {length > 0 && <Batch />}
    </section>
  );
}

/** The files that were given together, with their total. */
function Batch() {
  const { uploads } = useWorkspace();
  const isFolded = useSignal(false);
  const { list, total, isRunning } = uploads;
  const closeAll = (): void => {
    for (const { id } of list.value) uploads.dismiss(id);
  };
  return (
    <>
      <header>
        <div class="titles">
          <strong role="status">{titleOf(total.value, isRunning.value)}</strong>
          {isRunning.value && <span class="faint">{speedOf(total.value)}</span>}
        </div>
        <button
          type="button"
          class="plain"
          aria-expanded={!isFolded.value}
          aria-label="Details of the uploads"
          onClick={() => {
            isFolded.value = !isFolded.value;
          }}
        >
          <Icon name="down" />
        </button>
        {!isRunning.value && (
          <button type="button" class="plain" aria-label="Close" onClick={closeAll}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {isRunning.value && (
        <progress value={total.value.progress} max={1} aria-label="All uploads" />
      )}
      {!isFolded.value && <Lines />}
      <PanelActions />
    </>
  );
}

/** Failures come first, finished uploads last. */
const RANKS: Record<Upload["state"], number> = {
  failed: 0,
  sending: 1,
  waiting: 2,
  done: 3,
  "already-here": 3,
};

function Lines() {
  const { list } = useWorkspace().uploads;
  const lines = [...list.value].sort((a, b) => RANKS[a.state] - RANKS[b.state]).slice(0, MAX_LINES);
  const hidden = list.value.length - lines.length;
  return (
    <ul class="uploads" tabIndex={0} aria-label="Files">
      {lines.map((upload) => (
        <UploadLine key={upload.id} upload={upload} />
      ))}
      {hidden > 0 && <li class="faint">and {plural(hidden, "other")}</li>}
    </ul>
  );
}

function PanelActions() {
  const { uploads, photos } = useWorkspace();
  const { isRunning, list, photoIds } = uploads;
  const retryable = list.value.filter(({ canRetry }) => canRetry).length;
  const ids = photoIds.value;
  const use = (): void => {
    photos.clear();
    photos.choose(ids, true);
    uploads.clear();
    compose();
  };
  const show = (): void =>
    router.go({ view: "photos", photo: null, photos: { ...ANY_PHOTO, order: "added" } });
  return (
    <footer>
      {isRunning.value && (
        <button type="button" class="small" onClick={uploads.cancelAll}>
          Cancel
        </button>
      )}
      {!isRunning.value && retryable > 1 && (
        <button type="button" class="small" onClick={uploads.retryFailed}>
          Retry {retryable}
        </button>
      )}
      {ids.length > 0 && (
        <button type="button" class="small" onClick={show}>
          Show
        </button>
      )}
      {!isRunning.value && ids.length > 0 && (
        <button type="button" class="small primary" onClick={use}>
          New job on {plural(ids.length, "photo")}
        </button>
      )}
    </footer>
  );
}

function titleOf({ files, finished, failed }: Total, isRunning: boolean): string {
  if (isRunning) return `Uploading ${finished + 1} of ${files}`;
  const sent = files - failed;
  return [sent > 0 && `${plural(sent, "photo")} uploaded`, failed > 0 && `${failed} failed`]
    .filter(Boolean)
    .join(", ");
}

function speedOf({ progress, bytesPerSecond, secondsLeft }: Total): string {
  const percent = `${Math.floor(progress * 100)} %`;
  if (secondsLeft === null) return percent;
  return `${percent} · ${bytes(Math.round(bytesPerSecond))}/s · ${duration(secondsLeft * 1000)} left`;
}

const WORDS: Record<Upload["state"], string> = {
  waiting: "waiting",
  sending: "processing…",
  done: "uploaded",
  "already-here": "already uploaded",
  failed: "failed",
};

function UploadLine({ upload }: { upload: Upload }) {
  const { id, file, state, progress, error, canRetry, damaged } = upload;
  const { uploads } = useWorkspace();
  const isSending = state === "sending" && progress < 1;
  return (
    <li class={`is-${state}`}>
      <span class="name" title={file.name}>
        {file.name}
      </span>
      <span class="faint">{isSending ? `${Math.floor(progress * 100)} %` : WORDS[state]}</span>
      {canRetry && (
        <button
          type="button"
          class="plain"
          onClick={() => uploads.retry(id)}
          aria-label={`Retry ${file.name}`}
          title="Retry"
        >
          <Icon name="retry" size={16} />
        </button>
      )}
      <button
        type="button"
        class="plain"
        onClick={() => uploads.dismiss(id)}
        aria-label={`${isOver(upload) ? "Dismiss" : "Cancel"} ${file.name}`}
        title={isOver(upload) ? "Dismiss" : "Cancel"}
      >
        <Icon name="close" size={16} />
      </button>
      {isSending && <progress value={progress} max={1} aria-label={`Upload of ${file.name}`} />}
      {error && (
        <span role="alert" class="fault">
          {error}
        </span>
      )}
      {damaged && <span class="warning">Uploaded, but it is damaged: {damaged}</span>}
    </li>
  );
}

/** Covers the page while files are held over it. */
export function DropHint() {
  const { uploads } = useWorkspace();
  const isOverPage = useFileDrop(uploads.add);
  if (!isOverPage.value) return null;
  return (
    <div class="drop-hint">
      <div>
        <Icon name="upload" size={40} />
        <strong>Drop to upload</strong>
      </div>
    </div>
  );
}
