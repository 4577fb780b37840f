import { openJobClient } from "./client/job-client.js";
import type { GraphqlPeer } from "./peers/graphql-peer.js";
import { createServiceDatabase, startPhotoService } from "./peers/photo-service.js";
import { LITTLE_HISTORY, MUCH_HISTORY } from "./report/goals.js";
import { mapValues, READER, withStores, type RoundOptions, type Stand } from "./stand.js";
import { measurePage } from "./workloads/page.js";
import { measureThroughput } from "./workloads/throughput.js";

/** W5: compares the service on few rows with the service on many rows. */
export async function compareHistories(
  { rig, scale, serviceEnv }: RoundOptions,
  {
    longHistory,
    measurements,
    visit,
  }: Pick<Stand, "measurements" | "visit"> & { longHistory: string },
): Promise<void> {
  await rig.emptyRedis();
  const databases = {
    [LITTLE_HISTORY]: await createServiceDatabase(rig, "short_history"),
    [MUCH_HISTORY]: longHistory,
  };
  const services: Record<string, GraphqlPeer> = {};
  try {
    for (const [contestant, database] of Object.entries(databases))
      services[contestant] = await startPhotoService(rig, {
        name: contestant.replaceAll(/\W/g, "_"),
        database,
        redisIndex: Object.keys(services).length,
        env: serviceEnv,
      });
    await services[LITTLE_HISTORY]?.seed(scale.history.few);
    await visit(
      "W5",
      mapValues(services, ({ url, processes }, contestant) => async () => {
        const result = await measurePage({
          url,
          token: rig.token(READER),
          processes: withStores(rig, processes),
          ...scale.page,
          seconds: scale.history.seconds,
        });
        measurements.record("page req/s", contestant, result.requestsPerSecond);
        measurements.record("CPU ms/req", contestant, result.cpuMsPerRequest);
        return result.cost;
      }),
    );
    await visit(
      "W5",
      mapValues(services, ({ url, processes }, contestant) => async () => {
        const client = await openJobClient({
          url,
          token: rig.token(READER),
          connections: scale.throughput.submitters,
        });
        const result = await measureThroughput(client, {
          ...scale.throughput,
          seconds: scale.history.seconds,
          processes: withStores(rig, processes),
        }).finally(() => client.close());
        measurements.record("accepted/s", contestant, result.acceptedPerSecond);
        measurements.record("CPU ms/job", contestant, result.cpuMsPerJob);
        return result.cost;
      }),
    );
  } finally {
    await Promise.all(Object.values(services).map((service) => service.close()));
  }
}
