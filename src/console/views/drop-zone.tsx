import { useEffect, useRef } from "preact/hooks";
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { bytes, number } from "../in-words.js";
import type { Upload } from "../photos/uploads.js";
import { useWorkspace } from "../workspace.js";

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
        <strong>{isOver.value ? "Drop to upload" : "Add photos"}</strong>
        <small>
          Click to browse, or drop photos anywhere. JPEG, PNG, WebP, GIF, TIFF, AVIF or HEIC, up to
          {` ${bytes(maxUploadBytes)} and ${number(Math.round(maxPhotoPixels / 1e6))} megapixels.`}
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
  // The list may be out of sight of the place where the files were dropped.
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
          Clear finished
        </button>
      )}
    </>
  );
}

const WORDS: Record<Upload["state"], string> = {
  waiting: "waiting",
  sending: "processing…",
  done: "uploaded",
  "already-here": "already uploaded",
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

/**
 * Browsers send "dragover" several times a second while files are held over the page. Not all of
 * them report when the files leave, so the state expires after this time.
 */
const HELD_MS = 1000;

/**
 * Takes files dropped anywhere on the page; a browser would open the file instead. Returns true
 * while files are held over the page.
 */
function useFileDrop(take: (files: File[]) => void): ReadonlySignal<boolean> {
  const isOver = useSignal(false);
  useEffect(() => {
    let timer = 0;
    const setOver = (is: boolean): void => {
      clearTimeout(timer);
      isOver.value = is;
      if (is) timer = window.setTimeout(() => setOver(false), HELD_MS);
    };
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    // "dragleave" also occurs between two elements of the page; then relatedTarget is set.
    const leave = ({ relatedTarget }: DragEvent): void => {
      if (relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      void droppedFiles(event.dataTransfer).then(take, () => {});
    };
    const listening = new AbortController();
    for (const type of ["dragenter", "dragover"] as const) addEventListener(type, over, listening);
    addEventListener("dragleave", leave, listening);
    addEventListener("drop", drop, listening);
    return () => {
      listening.abort();
      clearTimeout(timer);
    };
  }, []);
  return isOver;
}

/** Matches by extension, because browsers have no MIME type for some photo formats. */
const PHOTO_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif|hei[cf])$/i;

/**
 * The dropped files, and the photos in dropped folders at any depth. Call it during the event;
 * afterwards the browser clears the items.
 */
async function droppedFiles({
  items,
  files,
}: Pick<DataTransfer, "items" | "files">): Promise<File[]> {
  const entries = Array.from(items, (item) => item.webkitGetAsEntry()).filter(
    (entry) => entry !== null,
  );
  if (!entries.some(({ isDirectory }) => isDirectory)) return [...files];
  return (await Promise.all(entries.map((entry) => filesOf(entry)))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [
      await new Promise<File>((resolve, reject) => {
        (entry as FileSystemFileEntry).file(resolve, reject);
      }),
    ];
  const entries = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (
    await Promise.all(
      entries.filter(({ isDirectory, name }) => isDirectory || PHOTO_NAME.test(name)).map(filesOf),
    )
  ).flat();
}

/** A reader returns entries in chunks; an empty chunk is the end. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
    reader.readEntries(resolve, reject);
  });
  return some.length === 0 ? [] : [...some, ...(await entriesOf(reader))];
}
