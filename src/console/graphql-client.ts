import type { Issue } from "./types.js";

/** The service refused the request, or could not be reached (code `UNREACHABLE`). */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly issues: Issue[] = [],
  ) {
    super(message);
    this.name = "RequestError";
  }
}

/** Returns the data of an operation, or throws RequestError with its first error. */
export type Ask = <Data>(query: string, variables?: object) => Promise<Data>;

interface Body {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string; issues?: Issue[] } }[];
}

/** `onSignedOut` is called when the service refuses the token. */
export function createGraphqlClient({
  token,
  onSignedOut,
}: {
  token: string;
  onSignedOut: (why: string) => void;
}): Ask {
  return async <Data>(query: string, variables: object = {}) => {
    const { data, errors } = await post(token, { query, variables });
    const [first] = errors ?? [];
    if (first?.extensions?.code === "UNAUTHENTICATED") onSignedOut(first.message);
    if (first)
      throw new RequestError(first.extensions?.code ?? "", first.message, first.extensions?.issues);
    return data as Data;
  };
}

async function post(token: string, body: object): Promise<Body> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json",
  };
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as Body;
  } catch {
    throw new RequestError("UNREACHABLE", "The service cannot be reached. Try again in a moment.");
  }
}
