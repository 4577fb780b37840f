import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws";

/**
 * A graphql-ws client whose subscriptions go on where they were cut off. A stock client sends the
 * variables of the first subscribe again when it reconnects, and so repeats or misses events; here
 * `after` is always the cursor of the last event that was told. Everything else is the client's
 * own.
 */
export function resumable<C extends Client>(client: C): C {
  return {
    ...client,
    subscribe<Data, Extensions>(
      payload: SubscribePayload,
      sink: Sink<FormattedExecutionResult<Data, Extensions>>,
    ) {
      // The client keeps this object and sends it as it is by then.
      const current = { ...payload, variables: { ...payload.variables } };
      return client.subscribe<Data, Extensions>(current, {
        next(result) {
          const cursor = cursorOf(result.data);
          if (cursor !== undefined) current.variables["after"] = cursor;
          sink.next(result);
        },
        error: (error) => sink.error(error),
        complete: () => sink.complete(),
      });
    },
  };
}

/** Of the one field of a subscription, whatever it is called there. */
function cursorOf(data: unknown): string | undefined {
  const event: unknown =
    typeof data === "object" && data !== null ? Object.values(data)[0] : undefined;
  return typeof event === "object" &&
    event !== null &&
    "cursor" in event &&
    typeof event.cursor === "string"
    ? event.cursor
    : undefined;
}
