/** What speaks the service's GraphQL, and can be measured beside it. */
export interface GraphqlPeer {
  url: string;
  /** Roots of the process trees, by what they do. */
  processes: Record<string, number>;
  /** Rows of finished jobs; person 0 owns a fortieth of them. */
  seed(rows: number): Promise<void>;
  /**
   * Bodies of requests, each of which has one of these photos made into thumbnails of
   * THUMBNAIL_WIDTHS.
   */
  thumbnailRequests(photos: readonly Buffer[]): Promise<string[]>;
  close(): Promise<void>;
}

export const THUMBNAIL_WIDTHS = [1600, 640, 160];
export const THUMBNAIL_QUALITY = 80;
