import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws";

/**
 * A graphql-ws client whose subscriptions resume after a lost connection. A stock client reconnects
 * with the variables of the first subscribe, and so repeats or misses events. Here `after` is
 * always the cursor of the last event received. Everything else is unchanged.
 */
export function resumable<C extends Client>(client: C): C {
  return {
    ...client,
    subscribe<Data, Extensions>(
      payload: SubscribePayload,
      sink: Sink<FormattedExecutionResult<Data, Extensions>>,
    ) {
      // The client keeps this object, and sends its current content when it reconnects.
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

/** A subscription has one field; its name or alias does not matter. */
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
