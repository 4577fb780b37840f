import DataLoader from "dataloader";
import type { QueuedJob, QueuedJobEvent, QueuedJobOutput } from "../domain/queued-job.js";
import { scopesAtOnce, type ListColumns } from "../services/reads/list-pages.js";
import type { ListScope } from "../services/reads/list-scan.js";
import type { QueuedJobPage } from "../services/reads/own-pages.js";
import type { PageRange } from "../services/reads/page.js";
import type { Photo, Photos } from "../services/photos/photos.js";
import type { GroupReads } from "../services/reads/group-reads.js";
import type { Place, QueuePlaces } from "../services/reads/queue-places.js";
import type { LargeValues, QueuedJobReads } from "../services/reads/queued-job-reads.js";
import type { User, UserCounters, Users } from "../services/users/users.js";
import type { AnswerBudget } from "./limits/answer-budget.js";
import { MAX_COUNTED } from "./paging/connection.js";

export interface PageKey extends PageRange {
  scope: ListScope;
  readerId: string;
  columns: ListColumns;
  knownSeq?: number;
}

export interface HistoryKey {
  queuedJobId: string;
  snapshots: boolean;
}

/** Batches the reads of rows to which many nodes of one answer refer. */
export interface Loaders {
  users: DataLoader<string, User | null>;
  counters: DataLoader<string, UserCounters>;
  /** By the id of the QueuedJob. */
  photos: DataLoader<string, Photo[]>;
  outputs: DataLoader<string, QueuedJobOutput[]>;
  largeValues: DataLoader<string, LargeValues | null>;
  histories: DataLoader<HistoryKey, QueuedJobEvent[], string>;
  places: DataLoader<QueuedJob, Place | null, string>;
  /** Pages of lists of QueuedJobs. */
  pages: DataLoader<PageKey, QueuedJobPage, string>;
  counts: DataLoader<ListScope, number, string>;
  /** By the id of the group. */
  groupProgress: DataLoader<string, number>;
}

/** The dependencies of an operation's loaders, and the loaders themselves. */
export interface HasLoaders {
  users: Users;
  photos: Photos;
  queuedJobReads: QueuedJobReads;
  groupReads: GroupReads;
  queuePlaces: QueuePlaces;
  budget: AnswerBudget;
  /** Null until the first use. */
  loaders: Loaders | null;
}

/** Maximum ids per statement. */
const MAX_BATCH = 1000;
const MAX_LARGE = 20;

/** Returns the loaders of an operation. They are created on first use, since most need none. */
export function loadersOf(holder: HasLoaders): Loaders {
  holder.loaders ??= createLoaders(holder);
  return holder.loaders;
}

function createLoaders(holder: HasLoaders): Loaders {
  const { users, queuedJobReads, groupReads, queuePlaces } = holder;
  return {
    groupProgress: createLoader((ids) => groupReads.progress(ids)),
    // Admins still see the rows of a closed account until they are erased.
    users: createLoader((ids) => users.findOwners(ids)),
    counters: createLoader((ids) => Promise.all(ids.map((id) => users.counters(id)))),
    photos: createLoader((ids) => loadPhotos(holder, ids)),
    outputs: createLoader((ids) => queuedJobReads.outputs(ids)),
    largeValues: createLoader((ids) => loadLargeValues(holder, ids)),
    histories: createLoader((keys) => loadHistories(holder, keys), JSON.stringify),
    places: createLoader(
      (rows) => queuePlaces.find(rows),
      ({ id, updatedAt }) => `${id} ${updatedAt}`,
    ),
    pages: createLoader((keys) => loadPages(holder, keys), JSON.stringify),
    counts: createLoader(
      (scopes) =>
        inGroups(
          scopes,
          (scope) => JSON.stringify(shapeOf(scope)),
          (group) => queuedJobReads.counts(group, MAX_COUNTED),
        ),
      JSON.stringify,
    ),
  };
}

/** Loads the photos of each QueuedJob, without deleted ones. */
async function loadPhotos(
  { queuedJobReads, photos, budget }: HasLoaders,
  queuedJobIds: string[],
): Promise<Photo[][]> {
  const lists = await queuedJobReads.photoIds(queuedJobIds);
  const ids = [...new Set(lists.flat())];
  budget.takeRead(ids.length, 0);
  const byId = new Map<string, Photo>();
  for (let i = 0; i < ids.length; i += MAX_BATCH) {
    for (const photo of await photos.findMany(ids.slice(i, i + MAX_BATCH)))
      if (photo) byId.set(photo.id, photo);
  }
  return lists.map((list) => list.flatMap((id) => byId.get(id) ?? []));
}

/** Loads few rows per statement: each can have a third of a megabyte. */
async function loadLargeValues(
  { queuedJobReads, budget }: HasLoaders,
  ids: string[],
): Promise<(LargeValues | null)[]> {
  const values: (LargeValues | null)[] = [];
  for (let i = 0; i < ids.length; i += MAX_LARGE) {
    const some = await budget.inTurn(() => queuedJobReads.largeValues(ids.slice(i, i + MAX_LARGE)));
    budget.takeRead(
      some.length,
      some.reduce((sum, row) => sum + (row?.bytes ?? 0), 0),
    );
    values.push(...some);
  }
  return values;
}

function loadHistories(
  { queuedJobReads, budget }: HasLoaders,
  keys: HistoryKey[],
): Promise<(QueuedJobEvent[] | Error)[]> {
  return inGroups(
    keys,
    ({ snapshots }) => String(snapshots),
    (group, { snapshots }) =>
      budget.inTurn(() =>
        queuedJobReads.histories(
          group.map(({ queuedJobId }) => queuedJobId),
          { snapshots, budget },
        ),
      ),
  );
}

function loadPages(
  { queuedJobReads, budget }: HasLoaders,
  keys: PageKey[],
): Promise<(QueuedJobPage | Error)[]> {
  return inGroups(
    keys,
    ({ scope, ...query }) => JSON.stringify([query, shapeOf(scope)]),
    async (group, { scope, ...query }) => {
      // Lists of many photos, or whole rows, can exceed the budget of an answer.
      const read = (scopes: ListScope[]) => queuedJobReads.pages(scopes, { ...query, budget });
      const mayBeMuch = scope.photoId !== null || query.columns === "whole";
      const readSome = (some: PageKey[]) =>
        mayBeMuch ? budget.inTurn(() => read(some.map(scopeOf))) : read(some.map(scopeOf));
      const pages: QueuedJobPage[] = [];
      const atOnce = scopesAtOnce(query, MAX_BATCH);
      for (let i = 0; i < group.length; i += atOnce)
        pages.push(...(await readSome(group.slice(i, i + atOnce))));
      return pages;
    },
  );
}

function scopeOf({ scope }: PageKey): ListScope {
  return scope;
}

/** Lists with the same shape can be read by one statement. */
function shapeOf({ userId, photoId, filter }: ListScope) {
  return [userId === null, photoId === null, filter];
}

/**
 * Batches the keys of one execution step, each key once. Nothing is cached for later steps, so that
 * they see changes.
 */
function createLoader<Key, Value>(
  load: (keys: Key[]) => Promise<(Value | Error)[]>,
  keyOf: (key: Key) => string = String,
): DataLoader<Key, Value, string> {
  const loader: DataLoader<Key, Value, string> = new DataLoader(
    (keys) => {
      loader.clearAll();
      return load([...keys]);
    },
    { maxBatchSize: MAX_BATCH, cacheKeyFn: keyOf },
  );
  return loader;
}

/**
 * Loads the keys of each group together. When one group fails, the other groups keep their values.
 */
async function inGroups<Key, Value>(
  keys: Key[],
  groupOf: (key: Key) => string,
  load: (group: Key[], first: Key) => Promise<Value[]>,
): Promise<(Value | Error)[]> {
  const groups = new Map<string, { first: Key; keys: Key[]; places: number[] }>();
  for (const [place, key] of keys.entries()) {
    const name = groupOf(key);
    const group = groups.get(name) ?? { first: key, keys: [], places: [] };
    group.keys.push(key);
    group.places.push(place);
    groups.set(name, group);
  }
  const values: (Value | Error)[] = [];
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const loaded = await load(group.keys, group.first).catch((error: unknown) => error as Error);
      for (const [i, place] of group.places.entries())
        values[place] = loaded instanceof Error ? loaded : (loaded[i] as Value);
    }),
  );
  return values;
}
