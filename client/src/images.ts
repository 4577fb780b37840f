// Photos at any size, and outputs that are kept as photos. The entry is separate, so that other
// pages do not load it.
import { KEEP_OUTPUT, PICTURES } from "./operations.js";
import { partsFor } from "./parts.js";
import type { PhotoService } from "./photo-service.js";
import { idOf, type Reference } from "./queued-jobs.js";
import type { RequestOptions } from "./transport/requests.js";
import type { Page, Photo } from "./types.js";

/** A photo with values for `srcset`. The service makes an image when it is first requested. */
export interface Picture extends Photo {
  avif: string;
  webp: string;
  /** URL of one image, for browsers that show neither. */
  jpeg: string;
}

export interface PictureOptions extends RequestOptions {
  /** Number of pictures, 1 to 100. Default: 50. */
  first?: number | undefined;
  /** The `endCursor` of the page before. */
  after?: string | null | undefined;
  /** Width of the widest image in pixels. Default: that of the photo, at most 3840. */
  maxWidth?: number | undefined;
}

export interface PicturePage {
  /** Newest first. */
  pictures: Picture[];
  hasMore: boolean;
  endCursor: string | null;
}

/** Reads a page of the user's photos with their images. */
export async function readPictures(
  service: PhotoService,
  { first = 50, after, maxWidth, ...request }: PictureOptions = {},
): Promise<PicturePage> {
  const { query, urls } = partsFor(service);
  const variables = { first, after, maxWidth };
  const { page } = await query<{ page: Page<Picture> }>(PICTURES, variables, request);
  return {
    pictures: page.nodes.map((picture) => ({
      ...urls.ofPhoto(picture),
      avif: absoluteSrcset(picture.avif, urls.absolute),
      webp: absoluteSrcset(picture.webp, urls.absolute),
      jpeg: urls.absolute(picture.jpeg),
    })),
    hasMore: page.pageInfo.hasNextPage,
    endCursor: page.pageInfo.endCursor,
  };
}

/**
 * Copies a picture among the outputs of a QueuedJob to the user's photos, where it stays. The same
 * output again gives the same Photo.
 */
export async function keepOutput(
  service: PhotoService,
  queuedJob: Reference,
  name: string,
  options?: RequestOptions,
): Promise<Photo> {
  const { query, urls } = partsFor(service);
  const variables = { id: idOf(queuedJob), name };
  const { row } = await query<{ row: Photo }>(KEEP_OUTPUT, variables, options);
  return urls.ofPhoto(row);
}

/**
 * A `loader` for `next/image`. Each width has its own signature, so a loader chooses one of the
 * signed URLs and never builds one:
 *
 *     <Image loader={imageLoader(picture.webp)} src={picture.id} width={picture.width}
 *       height={picture.height} sizes="(max-width: 40rem) 100vw, 20rem" alt={picture.filename} />
 */
export function imageLoader(srcset: string): (image: { width: number }) => string {
  const images = entriesOf(srcset);
  return ({ width }) => (images.find((image) => image.width >= width) ?? images.at(-1))?.url ?? "";
}

function absoluteSrcset(srcset: string, absolute: (url: string) => string): string {
  return entriesOf(srcset)
    .map(({ url, width }) => `${absolute(url)} ${width}w`)
    .join(", ");
}

function entriesOf(srcset: string): { url: string; width: number }[] {
  return srcset.split(", ").map((entry) => {
    const [url = "", width = ""] = entry.split(" ");
    return { url, width: Number.parseInt(width) };
  });
}
