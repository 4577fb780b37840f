/** A server with the service's GraphQL API, which can be compared with it. */
export interface GraphqlPeer {
  url: string;
  /** Root process ids by role. */
  processes: Record<string, number>;
  /** Inserts rows of finished jobs; person 0 owns a fortieth of them. */
  seed(rows: number): Promise<void>;
  /** Prepares request bodies, each for the thumbnails of one photo in THUMBNAIL_WIDTHS. */
  thumbnailRequests(photos: readonly Buffer[]): Promise<string[]>;
  close(): Promise<void>;
}

export const THUMBNAIL_WIDTHS = [1600, 640, 160];
export const THUMBNAIL_QUALITY = 80;
