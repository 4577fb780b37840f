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

/**
 * While something is held over a page browsers say so several times a second; when it is taken
 * away, not all of them say that.
 */
const HELD_MS = 1000;

/**
 * Takes files that are dropped anywhere on the page, where a browser would leave it for the file.
 * Tells whether some are held over it.
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
    // From one element of the page to the next it leaves, too.
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

/** Browsers know no type for some kinds of photo. */
const PHOTO_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif|hei[cf])$/i;

/**
 * The files that were dropped, and of folders, however deep, the photos in them. To be called
 * before the event is over.
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
  const found = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (
    await Promise.all(
      found.filter(({ isDirectory, name }) => isDirectory || PHOTO_NAME.test(name)).map(filesOf),
    )
  ).flat();
}

/** A reader gives some at a time, and none once there are no more. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
    reader.readEntries(resolve, reject);
  });
  return some.length === 0 ? [] : [...some, ...(await entriesOf(reader))];
}
