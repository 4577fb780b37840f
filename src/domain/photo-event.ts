import type { Instant, QueuedJobEvent } from "./queued-job.js";

export const PHOTO_EVENT_TYPES = ["ADDED", "PREVIEWED", "CHANGED", "DELETED"] as const;
export type PhotoEventType = (typeof PHOTO_EVENT_TYPES)[number];

/** A photo as an event records it. URLs are signed from its keys when the event is sent. */
export interface PhotoSnapshot {
  id: string;
  userId: string;
  filename: string;
  mimeType: string;
  width: number;
  height: number;
  byteSize: number;
  sha256: string;
  storageKey: string;
  previewKey: string | null;
  thumbhash: string | null;
  createdAt: Instant;
  /** Wall-clock time without a zone: `2024-05-06T07:08:09`. */
  takenAt: string | null;
  takenAtOffset: string | null;
  latitude: number | null;
  longitude: number | null;
  altitude: number | null;
  camera: string | null;
  lens: string | null;
  orientation: number | null;
  damaged: string | null;
  madeBy: string | null;
}

/** One step in the life of a photo; `seq` is of the same numbering as QueuedJobEvent. */
export interface PhotoEvent {
  seq: number;
  type: PhotoEventType;
  at: Instant;
  photo: PhotoSnapshot;
}

/** An event of one user, of either stream. */
export type UserEvent = QueuedJobEvent | PhotoEvent;
