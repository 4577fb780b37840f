import DataLoader from "dataloader";
import type { QueuedJobEvent, QueuedJobOutput } from "../queued-job.js";
import type { Photo } from "../services/photos.js";
import type { User } from "../services/users.js";
import type { Place } from "../services/queue-places.js";
import type { Context } from "./context.js";

/** Rows that many nodes of one answer name, fetched together. */
export interface Loaders {
  users: DataLoader<string, User | null>;
  photos: DataLoader<string, Photo | null>;
  /** Of a QueuedJob, by its id. */
  photoIds: DataLoader<string, string[]>;
  outputs: DataLoader<string, QueuedJobOutput[]>;
  histories: DataLoader<string, QueuedJobEvent[]>;
  places: DataLoader<string, Place | null>;
}

/** Of one operation; made when it first asks for some, as most never do. */
export function loadersOf(context: Context): Loaders {
  context.loaders ??= createLoaders(context);
  return context.loaders;
}

function createLoaders({ users, photos, queuedJobReads, queuePlaces, cached: cache }: Context): Loaders {
  return {
    users: new DataLoader((ids) => users.findMany(ids), { cache }),
    photos: new DataLoader((ids) => photos.findMany(ids), { cache }),
    photoIds: new DataLoader((ids) => queuedJobReads.photoIds(ids), { cache }),
    outputs: new DataLoader((ids) => queuedJobReads.outputs(ids), { cache }),
    histories: new DataLoader((ids) => queuedJobReads.histories(ids), { cache }),
    places: new DataLoader((ids) => queuePlaces.find(ids), { cache }),
  };
}
