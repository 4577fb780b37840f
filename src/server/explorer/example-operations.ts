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
    document: `# \`eventCursor\` is where the event stream stood: subscribe with \`after\` set to it, and nothing falls between.
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
