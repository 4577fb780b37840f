// The parts of the client's types that the page selects, and the types that the client lacks.
import type { JobGroup, PipelineStep } from "../../client/src/groups/index.js";
import type {
  JobError,
  JobName,
  Photo as WholePhoto,
  QueuedJob as WholeQueuedJob,
  QueuedJobEventType,
} from "../../client/src/index.js";

/** A photo among the inputs of a job. */
export type InputPhoto = Pick<
  WholePhoto,
  | "id"
  | "filename"
  | "mimeType"
  | "width"
  | "height"
  | "byteSize"
  | "url"
  | "previewUrl"
  | "thumbhash"
  | "damaged"
> & {
  /** Absent where the page only shows its preview. */
  srcset?: string;
};

export type Photo = InputPhoto &
  Pick<
    WholePhoto,
    "createdAt" | "takenAt" | "takenAtOffset" | "location" | "camera" | "lens" | "madeBy"
  > & {
    /** URL of a larger picture, which is made when it is first requested. */
    image: string;
  };

export interface PhotoDetails extends Photo {
  sha256: string;
  srcset: string;
  queuedJobs: {
    nodes: readonly (QueuedJobState & Pick<WholeQueuedJob, "outputs" | "expiresAt">)[];
  };
}

export interface PhotoEvent {
  cursor: string;
  type: "ADDED" | "PREVIEWED" | "CHANGED" | "DELETED";
  photo: Photo;
}

export interface Limits {
  maxUnfinished: number;
  unfinished: number;
  maxUploadBytes: number;
  maxStoredBytes: number;
  storedBytes: number;
  maxPhotoPixels: number;
  /** True while an operator has paused this user. */
  paused: boolean;
}

export interface Me {
  name: string;
  email: string;
  role: string;
  limits: Limits;
}

/** One property of a JSON Schema, with the keywords that the form uses. */
export interface PropertySchema {
  type?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  items?: PropertySchema;
}

export interface Job {
  name: string;
  title: string;
  description: string;
  parameterSchema: { properties?: Record<string, PropertySchema>; required?: string[] };
  minPhotos: number;
  maxPhotos: number;
  enabled: boolean;
  paused: boolean;
  /** Only of recipes: the Jobs that each photo takes in turn. */
  steps?: (parameters: object) => readonly PipelineStep[];
}

/** Fields of a QueuedJob that only its details have. */
type Detail = "parameters" | "result" | "outputs" | "expiresAt";

/** Fields of a QueuedJob that events carry. */
export interface QueuedJobState extends Omit<WholeQueuedJob, Detail | "photos" | "job"> {
  job: WholeQueuedJob["job"] & { paused: boolean };
  /** Its name in its group; null outside of a group. */
  key: string | null;
  /** Number of jobs that must finish before it is due. */
  waitingFor: number;
  group: JobGroup | null;
}

/** Fields of a QueuedJob in the list. */
export interface QueuedJob extends QueuedJobState {
  queuePosition: number | null;
  estimatedStartAt: string | null;
  photos: readonly InputPhoto[];
  /** True while only events have shown the row, which carry no photos. */
  isPartial?: boolean;
}

export interface QueuedJobEvent {
  cursor: string;
  type: QueuedJobEventType;
  at: string;
  queuedJob: QueuedJobState;
}

export interface HistoryEvent {
  cursor: string;
  type: QueuedJobEventType;
  at: string;
  queuedJob: { version: number; attempts: number; error: JobError | null };
}

/** All fields of one QueuedJob. */
export interface QueuedJobDetails<Name extends JobName = JobName>
  extends QueuedJob, Pick<WholeQueuedJob<Name>, Detail> {
  /** Id of the identical QueuedJob whose result was reused. */
  reusedFrom: string | null;
  history: readonly HistoryEvent[];
}
