// The photos of a task that copies them: fetched shortly before they are read, removed after that.
import { mkdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { TaskFailedError } from "../../domain/errors.js";
import { NO_ROOM } from "./task-child-request.js";

/** Photos that are on the disk at once. */
const MAX_FETCHED = 4;

/** Returns the path of a photo's bytes; copies of remote files are put into `folder`. */
type Fetch<Photo> = (photo: Photo, folder: string) => Promise<string>;

/** Fetches the photos of one attempt, a few ahead of the one that is being read. */
export class PhotoFiles<Photo> {
  readonly #photos: readonly Photo[];
  readonly #fetch: Fetch<Photo>;
  readonly #folder: string;
  readonly #fetched = new Map<number, Promise<string>>();
  #fault: unknown = null;

  constructor(photos: readonly Photo[], fetch: Fetch<Photo>, folder: string) {
    this.#photos = photos;
    this.#fetch = fetch;
    // An output cannot have this name, because its name must not begin with a dot.
    this.#folder = join(folder, ".photos");
  }

  /** The reason why a photo could not be fetched; null if there was none. */
  get fault(): unknown {
    return this.#fault;
  }

  /**
   * Returns the path of a photo. Copies of photos before it are removed, and those after it are
   * fetched.
   */
  async open(index: number): Promise<string> {
    const end = index + MAX_FETCHED;
    const outdated = [...this.#fetched.keys()].filter((other) => other < index || other >= end);
    await Promise.all(outdated.map((other) => this.#remove(other)));
    for (const [other, photo] of this.#photos.entries())
      if (other >= index && other < end && !this.#fetched.has(other)) this.#start(other, photo);
    const path = this.#fetched.get(index);
    if (path === undefined) throw new Error(`The task has no photo ${index}.`);
    try {
      return await path;
    } catch (error) {
      this.#fault ??= error;
      throw error;
    }
  }

  /** Waits for the photos that are being fetched, so that nothing writes afterwards. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#fetched.values());
  }

  #start(index: number, photo: Photo): void {
    const into = join(this.#folder, String(index));
    const path = mkdir(into, { recursive: true }).then(() => this.#fetch(photo, into));
    // `open` reports the error if the task gets to this photo.
    path.catch(() => {});
    this.#fetched.set(index, path);
  }

  async #remove(index: number): Promise<void> {
    const path = this.#fetched.get(index);
    this.#fetched.delete(index);
    await path?.catch(() => {});
    await rm(join(this.#folder, String(index)), { recursive: true, force: true });
  }
}

/**
 * Throws TaskFailedError if the disk has no room for files of this size. As much must remain free
 * for others.
 */
export async function checkDiskSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < 2 * bytes) throw new TaskFailedError(NO_ROOM);
}
