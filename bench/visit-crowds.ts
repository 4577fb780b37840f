import { openCrowdClient } from "./client/crowd-client.js";
import type { GraphqlPeer } from "./peers/graphql-peer.js";
import { crowdMeasure, NAIVE, SERVICE } from "./report/goals.js";
import { SUBMITTER, withStores, type RoundOptions, type Stand } from "./stand.js";
import { measureThroughput } from "./workloads/throughput.js";

/**
 * W7: measures few users beside W1, on the same processes. Many users need new processes, because
 * the naive server never recovers from their subscribers.
 */
export async function visitCrowds(
  { rig, scale }: RoundOptions,
  { field, measurements, visit }: Stand,
  size: "few" | "many",
): Promise<void> {
  const users = scale.crowds[size];
  const { submitters } = scale.throughput;
  const measure = (contestant: string, peer: GraphqlPeer) => async () => {
    const client = await openCrowdClient({
      urls: [peer.url],
      tokens: Array.from({ length: users }, (_, user) => rig.token(SUBMITTER + user)),
      connections: submitters,
    });
    const result = await measureThroughput(client, {
      ...scale.crowds,
      submitters,
      processes: withStores(rig, peer.processes),
    }).finally(() => client.close());
    const record = (what: string, value: number) =>
      measurements.record(crowdMeasure(users, what), contestant, value);
    record("completed and delivered/s", result.completedPerSecond);
    record("CPU ms/job", result.cpuMsPerJob);
    return result.cost;
  };
  await visit("W7", {
    [SERVICE]: measure(SERVICE, field.service),
    ...(size === "many" && { [NAIVE]: measure(NAIVE, field.naive) }),
  });
}
