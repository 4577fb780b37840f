/** Browsers know no type for some kinds of photo. */
const PHOTO_NAME = /\.(jpe?g|png|webp|gif|tiff?|avif|hei[cf])$/i;

/**
 * The files that were dropped, and of folders, however deep, the photos in them. To be called
 * before the event is over.
 */
export async function droppedFiles({
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
