// Generated, sources b39b615bce188d0a28698834be30a62ac1c2d49b54b94e8ddc1b3996541f4249. Renew: cd examples/react && npm ci && npm run codegen
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** A submission of a Job. */
export type EnqueueJobInput = {
  /** Do the work again even if an earlier result of the same Job, parameters and photos could be reused. */
  fresh?: boolean | null | undefined;
  /** The same key by the same user returns the first submission instead of making another. 1 to 200 characters. */
  idempotencyKey?: string | null | undefined;
  /** Name of the Job. */
  job: string;
  /** As the Job's `parameterSchema` says; `{}` when left out. */
  parameters?: Record<string, unknown> | null | undefined;
  /** One's own photos, as many as the Job takes. */
  photoIds?: Array<string | number> | null | undefined;
  /** 0 (default) to 100; higher runs first. */
  priority?: number | null | undefined;
  /** Not before this instant; up to a year ahead, the past means now. */
  runAt?: string | null | undefined;
};

/** What happened to a QueuedJob. */
export type QueuedJobEventType =
  /** Stopped by its owner. */
  | 'CANCELLED'
  /** Removed by its owner or by clean-up; always its last. */
  | 'DELETED'
  /** Given up; `error` says why. */
  | 'FAILED'
  /** Best effort: coalesced, not replayed. */
  | 'PROGRESS'
  /** Submitted, or sent again by its owner. */
  | 'QUEUED'
  /** An attempt failed or was lost; it runs again. */
  | 'RETRYING'
  /** A worker began an attempt. */
  | 'STARTED'
  /** Done; its result is there. */
  | 'SUCCEEDED';

/** The state of a QueuedJob. */
export type QueuedJobStatus =
  /** Stopped by its owner, who may send it again. */
  | 'CANCELLED'
  /** Given up; `error` says why. Its owner may send it again. */
  | 'FAILED'
  /** Accepted and durable; waiting for a worker, for its run time, or for its next attempt. */
  | 'PENDING'
  /** A worker is running it. */
  | 'STARTED'
  /** Done; its result is there. */
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