import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from "graphql";
import type { Tracer } from "../runtime/tracer.js";

export interface FieldWatcher {
  onField(field: { type: string; name: string; failed: boolean; seconds: number }): void;
  tracer: Tracer;
}

/** Measures and traces the root fields of a schema in place, for HTTP and sockets. */
export function watchFields(schema: GraphQLSchema, watcher: FieldWatcher): GraphQLSchema {
  for (const [type, root] of [
    ["query", schema.getQueryType()],
    ["mutation", schema.getMutationType()],
  ] as const) {
    for (const field of Object.values(root?.getFields() ?? {}))
      field.resolve = watched(watcher, type, field, field.resolve ?? defaultFieldResolver);
  }
  // For a stream only the opening is measured.
  for (const field of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    if (field.subscribe) field.subscribe = watched(watcher, "subscription", field, field.subscribe);
  }
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

function watched(
  { onField, tracer }: FieldWatcher,
  type: string,
  { name }: GraphQLField<unknown, unknown>,
  resolve: Resolver,
): Resolver {
  return async (source, args, context, info) => {
    const startedAt = performance.now();
    let failed = true;
    try {
      const attributes = {
        "graphql.operation.type": type,
        "graphql.field.name": name,
        "graphql.operation.name": (info.operation.name?.value ?? "").slice(0, 100),
      };
      const value: unknown = await tracer.span(`graphql ${type}`, attributes, async () =>
        resolve(source, args, context, info),
      );
      failed = false;
      return value;
    } finally {
      onField({ type, name, failed, seconds: (performance.now() - startedAt) / 1000 });
    }
  };
}
