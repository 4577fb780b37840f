/**
 * The outcome of a request. It is unknown if no response arrived, or if the response leaves open
 * whether the request had an effect.
 */
export type Answer<T> =
  | { kind: "data"; data: T }
  | { kind: "refused"; code: string; message: string }
  | { kind: "unknown"; why: string };

export interface ApiClient {
  /** Sends a request to a random API. Never throws. */
  ask<T>(query: string, variables?: object): Promise<Answer<T>>;
  upload(bytes: Buffer): Promise<{ id: string }>;
  /** Duration of the slowest response so far. */
  readonly slowestMs: number;
}

const TIMEOUT_MS = 10_000;

export function createApiClient({
  pickUrl,
  token,
}: {
  pickUrl: () => string;
  token: string;
}): ApiClient {
  const authorization = `Bearer ${token}`;
  let slowestMs = 0;

  async function ask<T>(query: string, variables: object = {}): Promise<Answer<T>> {
    const askedAt = Date.now();
    try {
      const response = await fetch(`${pickUrl()}/graphql`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = read<T>(response.status, await response.text());
      slowestMs = Math.max(slowestMs, Date.now() - askedAt);
      return answer;
    } catch (error) {
      return { kind: "unknown", why: String(error) };
    }
  }

  return {
    ask,
    async upload(bytes) {
      const response = await fetch(`${pickUrl()}/photos`, {
        method: "POST",
        headers: { authorization, "content-type": "image/jpeg" },
        body: new Uint8Array(bytes),
      });
      if (response.status !== 201)
        throw new Error(
          `The upload failed with the status ${response.status}: ${await response.text()}`,
        );
      return (await response.json()) as { id: string };
    },
    get slowestMs() {
      return slowestMs;
    },
  };
}

interface Body<T> {
  data?: T | null;
  errors?: { message: string; extensions: { code: string } }[];
}

function read<T>(status: number, text: string): Answer<T> {
  const { data, errors } = JSON.parse(text) as Body<T>;
  const error = errors?.[0];
  if (status === 408 || status === 503 || error?.extensions.code === "SERVICE_UNAVAILABLE")
    return { kind: "unknown", why: error?.message ?? text };
  if (error) return { kind: "refused", code: error.extensions.code, message: error.message };
  if (data == null) return { kind: "refused", code: `HTTP ${status}`, message: text.slice(0, 200) };
  return { kind: "data", data };
}
