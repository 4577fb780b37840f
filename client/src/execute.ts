import type { PhotoServiceError } from "./errors.js";
import { partsFor } from "./parts.js";
import type { PhotoService } from "./photo-service.js";
import { ONCE } from "./transport/requests.js";

/** An operation of Apollo Client, urql, Relay or another GraphQL client. */
export interface Operation {
  /** "query", "mutation" or "subscription". */
  kind: string;
  /** A subscription declares the variable `after` and selects `cursor`. */
  query: string;
  variables?: object | undefined;
}

/** What these clients pass: an observer or a sink. */
export interface Sink<Data> {
  next(result: { data: Data }): void;
  /** Called once with the reason. After CursorExpiredError, read the page again. */
  error(error: PhotoServiceError): void;
  complete(): void;
}

/**
 * Executes an operation for another GraphQL client. A subscription survives lost connections and
 * restarts of the service: it continues behind its last event. Queries are repeated as those of
 * this package are; mutations are not. Returns a function that stops it. Throws a TypeError for a
 * subscription that cannot resume.
 */
export function execute<Data>(
  service: PhotoService,
  { kind, query, variables }: Operation,
  sink: Sink<Data>,
): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const emit = (data: unknown): void => sink.next({ data: data as Data });

  function start(): Promise<void> {
    if (kind !== "subscription")
      return service
        .query(query, variables, { signal, ...(kind === "mutation" && ONCE) })
        .then(emit);
    if (!/\$after\b[^]*\bcursor\b/.test(query))
      throw new TypeError("A subscription must declare the variable $after and select cursor.");
    const onEvent = (_event: unknown, data: unknown): void => emit(data);
    return partsFor(service).events.follow(query, { after: null, variables, signal, onEvent });
  }

  start().then(
    () => signal.aborted || sink.complete(),
    (error: PhotoServiceError) => signal.aborted || sink.error(error),
  );
  return () => controller.abort();
}
