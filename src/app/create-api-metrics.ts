import type { GraphQLSchema } from "graphql";
import type { Database } from "../db/database.js";
import type { EventBus } from "../events/event-bus.js";
import type { Feed } from "../events/feed.js";
import type { ChildFault } from "../child-pool/child-pool.js";
import type { PhotoInspector } from "../imaging/inspect/photo-inspector.js";
import { createEdgeMetrics, gaugeEdge, type SocketGauges } from "../observability/edge-metrics.js";
import { createFaultMetrics, createOverloadMetrics } from "../observability/fault-metrics.js";
import { createStepMetrics } from "../observability/job-metrics.js";
import { createMetricsPage } from "../observability/metrics-page.js";
import { countDropped, gaugeStores } from "../observability/store-metrics.js";
import { watchFields } from "../observability/watch-fields.js";
import { createBacklogReads } from "../services/reads/backlog.js";
import type { PhotoIntake } from "../services/photos/photo-intake.js";
import { catalogue } from "../tasks/catalogue.js";
import type { Tracer } from "../runtime/tracer.js";
import { version } from "./version.js";

/** What an API measures, and how it is put around what the API is made of. */
export function createApiMetrics({
  revision,
  tracer,
}: {
  revision: string | null;
  tracer: Tracer;
}) {
  const page = createMetricsPage({ process: "api", version, revision });
  const onFault = createFaultMetrics(page);
  const edge = createEdgeMetrics(page, () => onFault("request"));
  return {
    edge,
    onStep: createStepMetrics(page, new Set(catalogue.keys())),
    onDropped: countDropped(page),
    onForeignRows: () => onFault("foreign_rows"),
    onChildFault: (reason: ChildFault) => onFault(`child_${reason}`),
    read: page.read,
    watchSchema: (schema: GraphQLSchema) => watchFields(schema, { onField: edge.onField, tracer }),
    measureIntake: (intake: PhotoIntake): PhotoIntake => ({
      async take(...upload) {
        const taken = await intake.take(...upload);
        edge.onUpload({ created: taken.created, byteSize: taken.photo.byteSize });
        return taken;
      },
    }),
    gauge(read: {
      database: Database;
      slowDatabase: Database;
      bus: EventBus;
      feed: Feed;
      inspector: PhotoInspector;
      sockets(): SocketGauges;
    }): void {
      createOverloadMetrics(page, { main: read.database, slow: read.slowDatabase });
      gaugeStores(page, {
        readBacklog: createBacklogReads(read.database).read,
        probeRedis: read.bus.probe,
        jobs: catalogue.keys(),
      });
      gaugeEdge(page, {
        subscribers: () => read.feed.subscribers,
        sockets: read.sockets,
        previews: () => read.inspector.waiting,
      });
    },
  };
}
