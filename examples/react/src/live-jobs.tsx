// React with Apollo Client: the list is a query, and every event is written into its normalised cache, from which all
// components that show the job are drawn anew.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { SetContextLink } from "@apollo/client/link/context";
import { OperationTypeNode } from "graphql";
import { useApolloClient, useMutation, useQuery } from "@apollo/client/react";
import { relayStylePagination } from "@apollo/client/utilities";
import { createClient } from "graphql-ws";
import { useEffect } from "react";
import { resumable } from "../../resumable";
import { JobRowFragmentDoc, MyJobsDocument, SubmitDocument, WatchDocument } from "./operations";

export function createApolloClient(api: string, getToken: () => Promise<string>): ApolloClient {
  const authorization = async () => `Bearer ${await getToken()}`;
  const socket = resumable(createClient({ url: `${api.replace(/^http/, "ws")}/graphql`, retryAttempts: Infinity, connectionParams: async () => ({ authorization: await authorization() }) }));
  const signedIn = new SetContextLink(async ({ headers }) => ({ headers: { ...headers, authorization: await authorization() } }));
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(socket), signedIn.concat(new HttpLink({ uri: `${api}/graphql` }))),
    // Pages are merged by their edges: ask for those, not for `nodes`.
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { queuedJobs: relayStylePagination() } } } }),
  });
}

const VERSION = gql`fragment Version on QueuedJob { version }`;

/** Keeps the cache as the service is, from the moment of the page on. Once for an application. */
export function useLiveJobs(eventCursor: string | undefined): void {
  const client = useApolloClient();
  useEffect(() => {
    if (eventCursor === undefined) return;
    const watching = client.subscribe({ query: WatchDocument, variables: { after: eventCursor }, fetchPolicy: "no-cache" }).subscribe(({ data }) => {
      if (!data) return;
      const { type, queuedJob } = data.queuedJobEvents;
      const id = client.cache.identify(queuedJob);
      if (type === "DELETED") return void client.cache.evict({ id });
      const known = client.cache.readFragment<{ version: number }>({ id, fragment: VERSION });
      // What was read later may already show more than an event tells.
      if (known && known.version > queuedJob.version) return;
      client.cache.writeFragment({ id, fragment: JobRowFragmentDoc, fragmentName: "JobRow", data: queuedJob });
      if (!known) void client.refetchQueries({ include: [MyJobsDocument] });
    });
    return () => watching.unsubscribe();
  }, [client, eventCursor]);
}

export function JobList() {
  const { data, error, fetchMore } = useQuery(MyJobsDocument);
  const [submit, { error: refused }] = useMutation(SubmitDocument);
  useLiveJobs(data?.queuedJobs.eventCursor);
  if (error) return <p role="alert">{error.message}</p>;
  const page = data?.queuedJobs;
  return (
    <section>
      <button onClick={() => void submit({ variables: { input: { job: "echo", parameters: { durationMs: 3000, steps: 10 } } } })}>Submit</button>
      {refused && <p role="alert">{refused.message}</p>}
      <ul>
        {page?.edges.map(({ node }) => (
          <li key={node.id}>
            {node.job.title}: {node.status} <progress aria-label={node.job.title} value={node.progress} /> {node.error?.message ?? node.progressMessage}
          </li>
        ))}
      </ul>
      {page?.pageInfo.hasNextPage && <button onClick={() => void fetchMore({ variables: { after: page.pageInfo.endCursor } })}>More</button>}
    </section>
  );
}
