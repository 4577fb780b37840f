import type { IncomingMessage } from "node:http";

/**
 * What a page's script is told, as JSON in the page: in a script it could be read from any other
 * origin.
 */
export function pageOptions(token: string | null): string {
  const options = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    operations: EXAMPLE_OPERATIONS,
  };
  return (
    `<script type="application/json" ` +
    `id="options">${JSON.stringify(options).replaceAll("<", "\\u003c")}</script>`
  );
}

/** What a proxy adds: behind one, everybody seems to sit at this machine. */
const TRACES_OF_A_PROXY = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];
const LOOPBACK_PEER = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const OWN_PAGES = ["same-origin", "none"];

/**
 * Whether it is a browser on this machine that opened this address itself: only then may its page
 * hold a development token. The Host counts as well as the peer, for a name of somebody else's can
 * be made to lead here (DNS rebinding); and no page of another origin may read it, though outside
 * production those of this machine may call the API.
 */
export function isOwnMachine({
  headers,
  socket,
}: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } }): boolean {
  const site = headers["sec-fetch-site"];
  return (
    LOOPBACK_PEER.test(socket.remoteAddress ?? "") &&
    LOOPBACK_HOST.test(headers.host ?? "") &&
    headers.origin === undefined &&
    (site === undefined || (typeof site === "string" && OWN_PAGES.includes(site))) &&
    !TRACES_OF_A_PROXY.some((name) => name in headers)
  );
}

export interface ExampleOperation {
  /** A tab's title. */
  title: string;
  document: string;
  variables?: Record<string, unknown>;
}

/** What an explorer opens with, at the last: each runs as it stands, without a photo. */
export const EXAMPLE_OPERATIONS: readonly ExampleOperation[] = [
  {
    title: "Catalogue",
    document: `query Catalogue {
  jobs {
    nodes {
      name
      title
      description
      minPhotos
      maxPhotos
      parameterSchema
    }
  }
}
`,
  },
  {
    title: "My jobs",
    document: `# \`eventCursor\` is where the event stream stood: subscribe with \`after\`
# set to it, and nothing falls between.
query MyJobs($first: Int = 10, $after: String) {
  queuedJobs(first: $first, after: $after) {
    nodes {
      id
      status
      progress
      createdAt
      error {
        code
        message
      }
      outputs {
        name
        url
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    totalCount
    eventCursor
  }
}
`,
  },
  {
    title: "Submit",
    document: `mutation Submit($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    id
    status
    version
    queuePosition
  }
}
`,
    variables: {
      input: { job: "echo", parameters: { message: "hello", durationMs: 4000, steps: 8 } },
    },
  },
  {
    title: "Watch",
    document: `# Run this and leave it open; then submit something, beside it.
subscription Watch($after: String) {
  queuedJobEvents(after: $after) {
    cursor
    type
    queuedJob {
      id
      status
      version
      progress
      progressMessage
      result
      job {
        name
      }
    }
  }
}
`,
  },
];
