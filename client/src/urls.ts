import type { JobPhoto, OutputFile } from "./types.js";

/** Makes the URLs of files absolute: the service sends them relative to its address. */
export interface Urls {
  absolute(url: string): string;
  ofPhoto<Kind extends JobPhoto>(photo: Kind): Kind;
  /** For a row, or for the fields that an event carries. */
  ofQueuedJob<Row extends { outputs: readonly OutputFile[]; photos?: readonly JobPhoto[] }>(
    row: Row,
  ): Row;
}

export function createUrls(base: string): Urls {
  const absolute = (url: string): string => new URL(url, base).href;
  const ofPhoto = <Kind extends JobPhoto>(photo: Kind): Kind => ({
    ...photo,
    url: absolute(photo.url),
    previewUrl: photo.previewUrl && absolute(photo.previewUrl),
  });
  return {
    absolute,
    ofPhoto,
    ofQueuedJob: (row) => ({
      ...row,
      outputs: row.outputs.map((file) => ({ ...file, url: absolute(file.url) })),
      ...(row.photos && { photos: row.photos.map(ofPhoto) }),
    }),
  };
}
