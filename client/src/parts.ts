import type { Channel } from "./channel.js";
import type { PhotoService } from "./photo-service.js";
import type { Events } from "./transport/follow.js";
import type { Query } from "./transport/requests.js";
import type { QueuedJob } from "./types.js";
import type { Urls } from "./urls.js";

/** The parts of a client that live values need. */
export interface Parts {
  query: Query;
  events: Events;
  urls: Urls;
  /** Rows that mutations of this client returned. */
  rows: Channel<QueuedJob>;
}

const PARTS = new WeakMap<PhotoService, Parts>();

/** Lets functions outside of the client find its parts, so that pages load only what they use. */
export function keepParts(service: PhotoService, parts: Parts): PhotoService {
  PARTS.set(service, parts);
  return service;
}

export function partsFor(service: PhotoService): Parts {
  const parts = PARTS.get(service);
  if (!parts) throw new TypeError("Pass a client that createPhotoService() has returned.");
  return parts;
}
