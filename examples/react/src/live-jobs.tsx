// React with Apollo Client: the list is a query, and every event is written into the normalised
// cache. Apollo then renders all components that show the job again.
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  gql,
  type ApolloCache,
} from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { SetContextLink } from "@apollo/client/link/context";
import { OperationTypeNode } from "graphql";
import { useApolloClient, useMutation, useQuery } from "@apollo/client/react";
import { relayStylePagination } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { useEffect, useState } from "react";
import { resumable } from "../../resumable";
import {
  JobRowFragmentDoc,
  MyJobsDocument,
  SubmitDocument,
  WatchDocument,
  type JobRowFragment,
  type MyJobsQuery,
  type WatchSubscription,
} from "./operations";

export function createApolloClient(api: string, getToken: () => Promise<string>): ApolloClient {
  const authorization = async () => `Bearer ${await getToken()}`;
  // Without shouldRetry the client gives up when its first attempt to connect fails, for example
  // while the service restarts.
  const socket = resumable(
    createClient({
      url: `${api.replace(/^http/, "ws")}/graphql`,
      retryAttempts: Infinity,
      shouldRetry: () => true,
      connectionParams: async () => ({ authorization: await authorization() }),
    }),
  );
  const signedIn = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: await authorization() },
  }));
  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      signedIn.concat(new HttpLink({ uri: `${api}/graphql` })),
    ),
    // relayStylePagination merges pages by their edges, so query `edges`, not `nodes`.
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { queuedJobs: relayStylePagination() } } },
    }),
  });
}

const VERSION = gql`
  fragment Version on QueuedJob {
    version
  }
`;

/** Keeps the cache up to date from the first page on. Use it once per application. */
export function useLiveJobs(eventCursor: string | undefined): void {
  const client = useApolloClient();
  const [start, setStart] = useState<string>();
  // Keep the cursor of the first page: a later page's cursor would skip events of earlier rows.
  const after = start ?? eventCursor;
  useEffect(() => {
    if (after === undefined) return;
    setStart(after);
    const watching = client
      .subscribe({ query: WatchDocument, variables: { after }, fetchPolicy: "no-cache" })
      .subscribe(({ data, error }) => {
        if (data) return write(client.cache, data.queuedJobEvents);
        if (
          !CombinedGraphQLErrors.is(error) ||
          error.errors[0]?.extensions?.["code"] !== "CURSOR_EXPIRED"
        )
          throw error;
        void client
          .query({ query: MyJobsDocument, fetchPolicy: "network-only" })
          .then((page) => setStart(page.data?.queuedJobs.eventCursor));
      });
    return () => watching.unsubscribe();
  }, [client, after]);
}

function write(
  cache: ApolloCache,
  { type, queuedJob }: WatchSubscription["queuedJobEvents"],
): void {
  const id = cache.identify(queuedJob);
  if (type === "DELETED") return void cache.evict({ id });
  const cached = cache.readFragment<{ version: number }>({ id, fragment: VERSION });
  // The cached row may be newer than the event.
  if (!cached || cached.version <= queuedJob.version)
    cache.writeFragment({
      id,
      fragment: JobRowFragmentDoc,
      fragmentName: "JobRow",
      data: queuedJob,
    });
  cache.updateQuery(
    { query: MyJobsDocument },
    (page) =>
      page && { queuedJobs: { ...page.queuedJobs, edges: withRow(page.queuedJobs, queuedJob) } },
  );
}

/** Adds a new row. Newer jobs have greater ids; rows older than the read pages come with theirs. */
function withRow(
  { edges, pageInfo }: MyJobsQuery["queuedJobs"],
  row: JobRowFragment,
): MyJobsQuery["queuedJobs"]["edges"] {
  const oldest = edges.at(-1)?.node.id ?? "";
  if (edges.some(({ node }) => node.id === row.id) || (pageInfo.hasNextPage && row.id < oldest))
    return edges;
  return [...edges, { __typename: "QueuedJobEdge" as const, node: row }].toSorted((a, b) =>
    a.node.id < b.node.id ? 1 : -1,
  );
}

export function JobList() {
  const { data, error, fetchMore } = useQuery(MyJobsDocument);
  const [submit, { error: refused }] = useMutation(SubmitDocument);
  useLiveJobs(data?.queuedJobs.eventCursor);
  if (error) return <p role="alert">{error.message}</p>;
  const page = data?.queuedJobs;
  return (
    <section>
      <button
        onClick={() =>
          void submit({
            variables: { input: { job: "echo", parameters: { durationMs: 3000, steps: 10 } } },
          })
        }
      >
        Submit
      </button>
      {refused && <p role="alert">{refused.message}</p>}
      <ul>
        {page?.edges.map(({ node }) => (
          <li key={node.id}>
            {node.job.title}: {node.status}{" "}
            <progress aria-label={node.job.title} value={node.progress} />{" "}
            {node.error?.message ?? node.progressMessage}
          </li>
        ))}
      </ul>
      {page?.pageInfo.hasNextPage && (
        <button onClick={() => void fetchMore({ variables: { after: page.pageInfo.endCursor } })}>
          More
        </button>
      )}
    </section>
  );
}
