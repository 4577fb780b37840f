import { createClient, type Client } from "graphql-ws/client";

export interface FeedSocketOptions {
  token: string;
  retryWait(retries: number): Promise<void>;
  onConnecting(): void;
  /** `again` is false for the first connection. */
  onConnected(again: boolean): void;
  onClosed(event: { code?: number; reason?: string }): void;
}

const KEEP_ALIVE_MS = 15_000;
const PONG_TIMEOUT_MS = 5000;
const CONNECT_TIMEOUT_MS = 10_000;

/** A socket that reconnects until it is closed, and drops a connection that stays silent. */
export function createFeedSocket(options: FeedSocketOptions): { client: Client; close(): void } {
  let timeout = 0;

  function expectAnswer(ms: number): void {
    clearTimeout(timeout);
    timeout = window.setTimeout(() => client.terminate(), ms);
  }

  const client: Client = createClient({
    url: `${location.origin.replace(/^http/, "ws")}/graphql`,
    connectionParams: () => ({ authorization: `Bearer ${options.token}` }),
    retryAttempts: Infinity,
    // Its own choice is to give up at the first attempt to connect that fails.
    shouldRetry: () => true,
    retryWait: options.retryWait,
    keepAlive: KEEP_ALIVE_MS,
    on: {
      connecting() {
        options.onConnecting();
        expectAnswer(CONNECT_TIMEOUT_MS);
      },
      connected(_socket, _payload, again) {
        clearTimeout(timeout);
        options.onConnected(again);
      },
      closed(event) {
        clearTimeout(timeout);
        options.onClosed(event as { code?: number; reason?: string });
      },
      ping: (received) => void (received || expectAnswer(PONG_TIMEOUT_MS)),
      pong: () => clearTimeout(timeout),
    },
  });

  return {
    client,
    close() {
      clearTimeout(timeout);
      // It waits for a connection that is being sought, and none will come any more.
      Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}
