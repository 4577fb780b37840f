// Generated, sources d430f9ae263878365093fdbf6bde33127b5568e17247403901a140ec99297e84. Renew: cd examples/react && npm ci && npm run codegen
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A submission of a Job. */
export type EnqueueJobInput = {
  /** Set to true to run the task even if the result of an identical earlier submission could be reused. */
  fresh?: boolean | null | undefined;
  /** Key of 1 to 200 characters. A second submission by the same user with the same key returns the first QueuedJob. */
  idempotencyKey?: string | null | undefined;
  /** Name of the Job. */
  job: string;
  /** Parameters that match the Job's `parameterSchema`. Default: `{}`. */
  parameters?: Record<string, unknown> | null | undefined;
  /** Ids of your photos; the Job defines how many. */
  photoIds?: Array<string | number> | null | undefined;
  /** 0 (default) to 100; higher runs first. */
  priority?: number | null | undefined;
  /** Earliest start, up to one year ahead. A past instant means now. */
  runAt?: string | null | undefined;
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

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, unknown> | undefined;

  constructor(value: string, __meta__?: Record<string, unknown> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const JobRowFragmentDoc = new TypedDocumentString(`
    fragment JobRow on QueuedJob {
  __typename
  id
  version
  status
  progress
  progressMessage
  job {
    id
    title
  }
  error {
    code
    message
  }
  outputs {
    name
    url
  }
}
    `, {"fragmentName":"JobRow"}) as unknown as TypedDocumentString<JobRowFragment, unknown>;
export const MyJobsDocument = new TypedDocumentString(`
    query MyJobs($first: Int = 20, $after: String) {
  queuedJobs(first: $first, after: $after) {
    edges {
      node {
        ...JobRow
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    eventCursor
  }
}
    fragment JobRow on QueuedJob {
  __typename
  id
  version
  status
  progress
  progressMessage
  job {
    id
    title
  }
  error {
    code
    message
  }
  outputs {
    name
    url
  }
}`) as unknown as TypedDocumentString<MyJobsQuery, MyJobsQueryVariables>;
export const SubmitDocument = new TypedDocumentString(`
    mutation Submit($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    ...JobRow
  }
}
    fragment JobRow on QueuedJob {
  __typename
  id
  version
  status
  progress
  progressMessage
  job {
    id
    title
  }
  error {
    code
    message
  }
  outputs {
    name
    url
  }
}`) as unknown as TypedDocumentString<SubmitMutation, SubmitMutationVariables>;
export const WatchDocument = new TypedDocumentString(`
    subscription Watch($after: String) {
  queuedJobEvents(after: $after) {
    cursor
    type
    queuedJob {
      ...JobRow
    }
  }
}
    fragment JobRow on QueuedJob {
  __typename
  id
  version
  status
  progress
  progressMessage
  job {
    id
    title
  }
  error {
    code
    message
  }
  outputs {
    name
    url
  }
}`) as unknown as TypedDocumentString<WatchSubscription, WatchSubscriptionVariables>;