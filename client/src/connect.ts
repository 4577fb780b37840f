import { ClosedError } from "./errors.js";
import { createEvents, type Events } from "./transport/follow.js";
import { createQuery, type Query } from "./transport/requests.js";
import type { Token } from "./transport/token.js";
import type { Running } from "./transport/with-signal.js";
import { createUpload, type Upload } from "./upload.js";
import { createUrls, type Urls } from "./urls.js";

export interface PhotoServiceOptions {
  /** Address of the service, such as "https://photos.example.com". */
  url: string;
  /** The token, or a function that returns it; it is asked before each request and connection. */
  token: Token;
  /**
   * Milliseconds within which a call is repeated when the service cannot be reached or asks to
   * wait. Default: 60,000.
   */
  retryForMs?: number;
  /**
   * A WebSocket class, where there is none: the class of the package `ws` in Node 20. Null for
   * Server-Sent Events only. Default: the WebSocket of the platform.
   */
  webSocket?: unknown;
}

/** The connection to the service, on which a client stands. */
export interface Connected {
  query: Query;
  events: Events;
  urls: Urls;
  upload: Upload;
  /** Ends all requests and streams; those that come later throw ClosedError. */
  close(): void;
}

const RETRY_FOR_MS = 60_000;

export function connect(options: PhotoServiceOptions): Connected {
  const {
    token,
    retryForMs = RETRY_FOR_MS,
    webSocket = (globalThis as { WebSocket?: unknown }).WebSocket,
  } = options;
  const url = new URL(options.url).href.replace(/\/+$/, "");
  const running: Running = { closedBy: null, controllers: new Set() };
  const connection = { url, token, retryForMs, running };
  const events = createEvents(connection, webSocket);
  const urls = createUrls(url);
  return {
    query: createQuery(connection),
    events,
    urls,
    upload: createUpload(connection, urls),
    close() {
      running.closedBy = new ClosedError();
      for (const controller of running.controllers) controller.abort(running.closedBy);
      events.close();
    },
  };
}
