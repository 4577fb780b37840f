import type { IncomingMessage } from "node:http";

/**
 * Renders the options of a page's script as JSON in the page. A script file with the token could be
 * read from any other origin.
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

/** Headers that a proxy adds. Behind a proxy, all clients seem to be on this machine. */
const PROXY_HEADERS = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];
const LOOPBACK_PEER = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const OWN_SITES = ["same-origin", "none"];

/**
 * True if a browser on this machine opened this address directly: only then can its page contain a
 * development token. The Host header is checked as well as the peer, since a foreign name can
 * resolve to this machine (DNS rebinding). Pages of other origins must not read the token. This
 * includes pages on this machine, which can call the API outside production.
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
    (site === undefined || (typeof site === "string" && OWN_SITES.includes(site))) &&
    !PROXY_HEADERS.some((name) => name in headers)
  );
}

export interface ExampleOperation {
  /** Title of the tab. */
  title: string;
  document: string;
  variables?: Record<string, unknown>;
}

/** The operations that an explorer shows first. Each runs unchanged, without a photo. */
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
    document: `# \`eventCursor\` is the position of the event stream: subscribe with \`after\`
# set to it to miss no event.
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
    document: `# Run this, then submit a job in another tab.
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
