import type { FileUrls } from "../../photos/file-urls.js";
import { photoUrl, previewUrl } from "../../services/photos/photo-urls.js";
import type { Photo } from "../../services/photos/photos.js";

type Sign<Url> = (fileUrls: FileUrls, photo: Photo) => Promise<Url>;

/**
 * A URL of photos, signed once for a row however often it is in an answer. Signed beforehand it is
 * there for its field at once: a promise for each of ten thousand fields costs seconds.
 */
class SignedUrl<Url> {
  readonly #sign: Sign<Url>;
  readonly #signing = new WeakMap<Photo, Promise<Url>>();
  readonly #signed = new WeakMap<Photo, Url>();

  constructor(sign: Sign<Url>) {
    this.#sign = sign;
  }

  of(fileUrls: FileUrls, photo: Photo): Url | Promise<Url> {
    return this.#signed.get(photo) ?? this.#begin(fileUrls, photo);
  }

  #begin(fileUrls: FileUrls, photo: Photo): Promise<Url> {
    const signing = this.#signing.get(photo) ?? this.#run(fileUrls, photo);
    this.#signing.set(photo, signing);
    return signing;
  }

  async #run(fileUrls: FileUrls, photo: Photo): Promise<Url> {
    const url = await this.#sign(fileUrls, photo);
    this.#signed.set(photo, url);
    return url;
  }
}

export const signedUrl = new SignedUrl(photoUrl);
export const signedPreviewUrl = new SignedUrl(previewUrl);

/** Makes what is selected of these photos ready. */
export async function signUrls(
  fileUrls: FileUrls,
  photos: readonly Photo[],
  selected: ReadonlySet<string>,
): Promise<void> {
  if (selected.has("url")) await Promise.all(photos.map((photo) => signedUrl.of(fileUrls, photo)));
  if (selected.has("previewUrl"))
    await Promise.all(photos.map((photo) => signedPreviewUrl.of(fileUrls, photo)));
}
