import type { FileUrls } from "../../photos/file-urls.js";
import { photoUrl, previewUrl } from "../../services/photos/photo-urls.js";
import type { Photo } from "../../services/photos/photos.js";

type Sign<Url> = (fileUrls: FileUrls, photo: Photo, expiresAt: Date) => Promise<Url>;

const expiries = new WeakMap<Photo, Date>();

/** Returns the instant at which all URLs of a photo in an answer expire. */
export function urlExpiryOf(fileUrls: FileUrls, photo: Photo): Date {
  const expiry = expiries.get(photo) ?? fileUrls.expiry();
  expiries.set(photo, expiry);
  return expiry;
}

/**
 * Signs each photo's URL once, however often the photo is in an answer. A URL that was signed
 * before execution is returned without a promise: ten thousand promises cost seconds.
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
    const url = await this.#sign(fileUrls, photo, urlExpiryOf(fileUrls, photo));
    this.#signed.set(photo, url);
    return url;
  }
}

export const signedUrl = new SignedUrl(photoUrl);
export const signedPreviewUrl = new SignedUrl(previewUrl);

/** Signs the selected URLs of these photos before their fields are resolved. */
export async function signUrls(
  fileUrls: FileUrls,
  photos: readonly Photo[],
  selected: ReadonlySet<string>,
): Promise<void> {
  if (selected.has("url")) await Promise.all(photos.map((photo) => signedUrl.of(fileUrls, photo)));
  if (selected.has("previewUrl"))
    await Promise.all(photos.map((photo) => signedPreviewUrl.of(fileUrls, photo)));
}
