import DataLoader from "dataloader";
import type { QueuedJobEvent, QueuedJobOutput } from "../queued-job.js";
import type { Photo, Photos } from "../services/photos.js";
import type { Place, QueuePlaces } from "../services/queue-places.js";
import type { LargeValues, QueuedJobReads } from "../services/queued-job-reads.js";
import type { User, Users } from "../services/users.js";

/** Rows that many nodes of one answer name, fetched together. */
export interface Loaders {
  users: DataLoader<string, User | null>;
  photos: DataLoader<string, Photo | null>;
  /** Of a QueuedJob, by its id. */
  photoIds: DataLoader<string, string[]>;
  outputs: DataLoader<string, QueuedJobOutput[]>;
  largeValues: DataLoader<string, LargeValues | null>;
  histories: DataLoader<string, QueuedJobEvent[]>;
  places: DataLoader<string, Place | null>;
}

/** What the loaders of an operation are made of, and where they are kept. */
export interface HasLoaders {
  users: Users;
  photos: Photos;
  queuedJobReads: QueuedJobReads;
  queuePlaces: QueuePlaces;
  /** Whether a row is loaded once only. */
  cached: boolean;
  /** Null until one is asked for. */
  loaders: Loaders | null;
}

/** Of one operation; made when it first asks for some, as most never do. */
export function loadersOf(holder: HasLoaders): Loaders {
  holder.loaders ??= createLoaders(holder);
  return holder.loaders;
}

function createLoaders({ users, photos, queuedJobReads, queuePlaces, cached: cache }: HasLoaders): Loaders {
  return {
    users: new DataLoader((ids) => users.findMany(ids), { cache }),
    photos: new DataLoader((ids) => photos.findMany(ids), { cache }),
    photoIds: new DataLoader((ids) => queuedJobReads.photoIds(ids), { cache }),
    outputs: new DataLoader((ids) => queuedJobReads.outputs(ids), { cache }),
    largeValues: new DataLoader((ids) => queuedJobReads.largeValues(ids), { cache }),
    histories: new DataLoader((ids) => queuedJobReads.histories(ids), { cache }),
    places: new DataLoader((ids) => queuePlaces.find(ids), { cache }),
  };
}
