// Generated, sources b19a60f4d5e749d6a86e08883ce9450bee523e6535d23685ab5f44ffa8d91037. Renew: cd examples/react && npm ci && npm run codegen
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** Parameters of the Job `archive`. */
export type ArchiveParameters = {
  /** Include the photos as they were uploaded, with their metadata. Must be true, because an archive has no other files yet. Default: true. */
  includeOriginals?: boolean | null | undefined;
};

/** Parameters of the Job `contact-sheet`. */
export type ContactSheetParameters = {
  /** Width and height of the cell of each photo, in pixels. Default: 256. */
  cellWidth?: number | null | undefined;
  /** Number of photos per row, at most the number of photos. Default: the square root of the number of photos, rounded up. */
  columns?: number | null | undefined;
};

/** Parameters of the Job `convert`. */
export type ConvertParameters = {
  /** Format of the output. In JPEG, transparent parts become white. */
  format: FormatOption;
  /** Keep camera, lens, exposure, times, place, description, artist and copyright. Data in camera makers' own formats and embedded thumbnails are always removed. Default: false. */
  keepMetadata?: boolean | null | undefined;
  /** Keep every pixel exactly, which makes the file several times larger. For WebP and AVIF: PNG is always lossless, JPEG never. Default: false. */
  lossless?: boolean | null | undefined;
  /** Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and WebP, 50 for AVIF. PNG and lossless outputs ignore it. */
  quality?: number | null | undefined;
};

/** Parameters of the Job `crop`. */
export type CropParameters = {
  /** Ratios of width to height, e.g. 1:1, 16:9 or 1.91:1. Each gives one crop, in this order. Default: ["1:1"]. */
  ratios?: Array<string> | null | undefined;
  /** Part of the photo to keep. `attention`: the most striking part (strong colours, skin, contrast); `entropy`: the part with most detail; `center`: the middle. Default: "attention". */
  strategy?: StrategyOption | null | undefined;
  /** Maximum width of the outputs in pixels; larger crops are scaled down. Default: crops are not scaled. */
  width?: number | null | undefined;
};

/** Parameters of the Job `echo`. */
export type EchoParameters = {
  /** Duration of the job in milliseconds. Default: 0. */
  durationMs?: number | null | undefined;
  /** Number of attempts that fail before one succeeds. Default: 0. */
  failAttempts?: number | null | undefined;
  /** Fail at the first attempt, without a retry. Default: false. */
  failPermanently?: boolean | null | undefined;
  /** Any JSON value; it is returned unchanged. */
  message?: unknown;
  /** Number of progress steps, evenly spread over the duration. Default: 0. */
  steps?: number | null | undefined;
};

/** A submission of a Job. */
export type EnqueueJobInput = {
  /** Set to true to run the task even if the result of an identical earlier submission could be reused. */
  fresh?: boolean | null | undefined;
  /** Key of 1 to 200 characters. A second submission by the same user with the same key returns the first QueuedJob. */
  idempotencyKey?: string | null | undefined;
  /** Name of the Job: either this or `run`. */
  job?: string | null | undefined;
  /** With `job`: parameters that match its `parameterSchema`. Default: `{}`. */
  parameters?: Record<string, unknown> | null | undefined;
  /** Ids of your photos; the Job defines how many. */
  photoIds?: Array<string | number> | null | undefined;
  /** 0 (default) to 100; higher runs first. */
  priority?: number | null | undefined;
  /** The Job with typed parameters, instead of `job` and `parameters`. */
  run?: JobInput | null | undefined;
  /** Earliest start, up to one year ahead. A past instant means now. */
  runAt?: string | null | undefined;
};

/** Values of `format`. */
export type FormatOption =
  /** The value `avif`. */
  | 'avif'
  /** The value `jpeg`. */
  | 'jpeg'
  /** The value `png`. */
  | 'png'
  /** The value `webp`. */
  | 'webp';

/** Values of `gravity`. */
export type GravityOption =
  /** The value `center`. */
  | 'center'
  /** The value `east`. */
  | 'east'
  /** The value `north`. */
  | 'north'
  /** The value `northeast`. */
  | 'northeast'
  /** The value `northwest`. */
  | 'northwest'
  /** The value `south`. */
  | 'south'
  /** The value `southeast`. */
  | 'southeast'
  /** The value `southwest`. */
  | 'southwest'
  /** The value `west`. */
  | 'west';

/** Parameters of the Job `hash`. */
export type HashParameters = {
  /** Maximum number of the 64 bits in which a duplicate may differ. 6 finds resized and recompressed copies, 10 also slightly cropped ones; 16 also finds other photos. Default: 6. */
  maxDistance?: number | null | undefined;
};

/** Exactly one Job with its parameters. */
export type JobInput =
  {   /** The Job `archive`: Archive. */
  archive: ArchiveParameters; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never;   /** The Job `contact-sheet`: Contact sheet. */
  contactSheet: ContactSheetParameters; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never;   /** The Job `convert`: Convert. */
  convert: ConvertParameters; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never;   /** The Job `crop`: Crop. */
  crop: CropParameters; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never;   /** The Job `echo`: Echo. */
  echo: EchoParameters; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never;   /** The Job `hash`: Duplicates. */
  hash: HashParameters; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never;   /** The Job `metadata`: Metadata. */
  metadata: MetadataParameters; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never;   /** The Job `palette`: Palette. */
  palette: PaletteParameters; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never;   /** The Job `placeholder`: Placeholder. */
  placeholder: PlaceholderParameters; prepare?: never; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never;   /** The Job `prepare`: Prepare. */
  prepare: PrepareParameters; scrub?: never; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never;   /** The Job `scrub`: Scrub. */
  scrub: ScrubParameters; thumbnail?: never; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never;   /** The Job `thumbnail`: Thumbnails. */
  thumbnail: ThumbnailParameters; watermark?: never; }
  |  { archive?: never; contactSheet?: never; convert?: never; crop?: never; echo?: never; hash?: never; metadata?: never; palette?: never; placeholder?: never; prepare?: never; scrub?: never; thumbnail?: never;   /** The Job `watermark`: Watermark. */
  watermark: WatermarkParameters; };

/** Parameters of the Job `metadata`. */
export type MetadataParameters = {
  /** Leave out the position of the photo: `gps` is null, and tags with a position are removed. Names of cities and countries are kept. Default: false. */
  redactGps?: boolean | null | undefined;
};

/** Parameters of the Job `palette`. */
export type PaletteParameters = {
  /** Maximum number of colours; a photo with fewer colours gives fewer. Default: 5. */
  colors?: number | null | undefined;
};

/** Parameters of the Job `placeholder`. */
export type PlaceholderParameters = {
  /** Must be null or absent: this Job has no parameters. */
  _?: boolean | null | undefined;
};

/** Parameters of the Job `prepare`. */
export type PrepareParameters = {
  /** Must be null or absent: this Job has no parameters. */
  _?: boolean | null | undefined;
};

/** The kind of an event of a QueuedJob. */
export type QueuedJobEventType =
  /** Stopped by its owner. */
  | 'CANCELLED'
  /** Deleted by its owner or by clean-up; always the last event. */
  | 'DELETED'
  /** Failed finally; see `error`. */
  | 'FAILED'
  /** Progress of an attempt; can be coalesced, is not replayed. */
  | 'PROGRESS'
  /** Submitted, or retried by its owner. */
  | 'QUEUED'
  /** An attempt failed or was lost; another one follows. */
  | 'RETRYING'
  /** A worker began an attempt. */
  | 'STARTED'
  /** Finished; `result` and `outputs` are available. */
  | 'SUCCEEDED';

/** The state of a QueuedJob. */
export type QueuedJobStatus =
  /** Stopped by its owner, who can retry it. */
  | 'CANCELLED'
  /** Failed finally; see `error`. Its owner can retry it. */
  | 'FAILED'
  /** Accepted and stored; waiting for a worker, for `runAt`, or for its next attempt. */
  | 'PENDING'
  /** A worker is running it. */
  | 'STARTED'
  /** Finished; `result` and `outputs` are available. */
  | 'SUCCESS';

/** Parameters of the Job `scrub`. */
export type ScrubParameters = {
  /** Keep the copyright and the artist's name, from EXIF, else IPTC, else XMP. Default: true. */
  keepCopyright?: boolean | null | undefined;
  /** Keep the colour profile. If it is removed, the colours are converted to sRGB, so that they look the same. Default: true. */
  keepIcc?: boolean | null | undefined;
};

/** Values of `strategy`. */
export type StrategyOption =
  /** The value `attention`. */
  | 'attention'
  /** The value `center`. */
  | 'center'
  /** The value `entropy`. */
  | 'entropy';

/** Parameters of the Job `thumbnail`. */
export type ThumbnailParameters = {
  /** Format of all variants. In JPEG, transparent parts become white. Default: "webp". */
  format?: FormatOption | null | undefined;
  /** Quality from 1 (smallest file) to 100 (best picture). Default: 80 for JPEG and WebP, 50 for AVIF. PNG is lossless and ignores it. */
  quality?: number | null | undefined;
  /** Widths in pixels. Each gives one variant, in this order. A photo is never enlarged. Default: [320,1024]. */
  widths?: Array<number> | null | undefined;
};

/** Parameters of the Job `watermark`. */
export type WatermarkParameters = {
  /** Position of the text on the picture. Default: "southeast". */
  gravity?: GravityOption | null | undefined;
  /** Opacity from 0.01 (hardly visible) to 1 (covers the picture below). Default: 0.5. */
  opacity?: number | null | undefined;
  /** Width of the text as a share of the picture's width; the same share limits its height. Default: 0.3. */
  scale?: number | null | undefined;
  /** One line of text. Latin, Greek, Cyrillic and Arabic are always supported; other scripts appear as boxes unless the system has fonts for them. */
  text: string;
};

export type MyJobsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type MyJobsQuery = { queuedJobs: { eventCursor: string, edges: Array<{ node: { __typename: 'QueuedJob', id: string, version: number, status: QueuedJobStatus, progress: number, progressMessage: string | null, job: { id: string, title: string }, error: { code: string, message: string } | null, outputs: Array<{ name: string, url: string }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type SubmitMutationVariables = Exact<{
  input: EnqueueJobInput;
}>;


export type SubmitMutation = { enqueueJob: { __typename: 'QueuedJob', id: string, version: number, status: QueuedJobStatus, progress: number, progressMessage: string | null, job: { id: string, title: string }, error: { code: string, message: string } | null, outputs: Array<{ name: string, url: string }> } };

export type WatchSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type WatchSubscription = { queuedJobEvents: { cursor: string, type: QueuedJobEventType, queuedJob: { __typename: 'QueuedJob', id: string, version: number, status: QueuedJobStatus, progress: number, progressMessage: string | null, job: { id: string, title: string }, error: { code: string, message: string } | null, outputs: Array<{ name: string, url: string }> } } };

export type JobRowFragment = { __typename: 'QueuedJob', id: string, version: number, status: QueuedJobStatus, progress: number, progressMessage: string | null, job: { id: string, title: string }, error: { code: string, message: string } | null, outputs: Array<{ name: string, url: string }> };

export const JobRowFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QueuedJob"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"progressMessage"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"outputs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]} as unknown as DocumentNode<JobRowFragment, unknown>;
export const MyJobsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"MyJobs"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}},"defaultValue":{"kind":"IntValue","value":"20"}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"queuedJobs"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobRow"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}},{"kind":"Field","name":{"kind":"Name","value":"eventCursor"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QueuedJob"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"progressMessage"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"outputs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]} as unknown as DocumentNode<MyJobsQuery, MyJobsQueryVariables>;
export const SubmitDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Submit"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"EnqueueJobInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"enqueueJob"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobRow"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QueuedJob"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"progressMessage"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"outputs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]} as unknown as DocumentNode<SubmitMutation, SubmitMutationVariables>;
export const WatchDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"Watch"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"queuedJobEvents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"queuedJob"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"JobRow"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"JobRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"QueuedJob"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"progressMessage"}},{"kind":"Field","name":{"kind":"Name","value":"job"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"outputs"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]} as unknown as DocumentNode<WatchSubscription, WatchSubscriptionVariables>;