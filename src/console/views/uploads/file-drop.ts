import { useSignal, type ReadonlySignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/**
 * Browsers send "dragover" several times a second while files are held over the page. Not all of
 * them report when the files leave, so the state expires after this time.
 */
const HELD_MS = 1000;

/**
 * Takes files dropped anywhere on the page; a browser would open the file instead. Returns true
 * while files are held over the page.
 */
export function useFileDrop(take: (files: File[]) => void): ReadonlySignal<boolean> {
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

/** Takes pictures that are pasted anywhere but into a text field. */
export function useFilePaste(take: (files: File[]) => void): void {
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent): void => {
      const files = [...(clipboardData?.files ?? [])];
      if (files.length > 0) take(files);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
}
