import { openGroupClient } from "./client/group-client.js";
import { openJobClient } from "./client/job-client.js";
import { FLOWS, groupMeasure, SERVICE } from "./report/goals.js";
import { SUBMITTER, withStores, type RoundOptions, type Stand } from "./stand.js";
import { SHAPES, type ShapeName } from "./workloads/group-shapes.js";
import { measureGroups } from "./workloads/groups.js";
import { measureThroughput } from "./workloads/throughput.js";

/** Measures groups of each shape beside as many single jobs, and beside flows of BullMQ. */
export async function visitGroups(
  { rig, scale }: RoundOptions,
  { field, measurements, visit }: Stand,
): Promise<void> {
  const { submitters, warmUpJobs } = scale.throughput;
  const reach = { url: field.service.url, token: rig.token(SUBMITTER), connections: submitters };
  await visit("W9", {
    async [SERVICE]() {
      const client = await openJobClient(reach);
      const jobs = scale.groups.groups * scale.groups.size;
      const { completedPerSecond } = await measureThroughput(client, {
        submitters,
        warmUpJobs,
        jobs,
        seconds: 0,
        processes: withStores(rig, field.service.processes),
      }).finally(() => client.close());
      measurements.record(groupMeasure("plain"), SERVICE, completedPerSecond);
    },
  });
  for (const shape of Object.keys(SHAPES) as ShapeName[]) {
    const measure = (of: string, open: () => ReturnType<typeof openGroupClient>) => async () => {
      const client = await open();
      const rate = await measureGroups(client, shape, scale.groups).finally(() => client.close());
      measurements.record(groupMeasure(shape), of, rate);
    };
    await visit("W9", {
      [SERVICE]: measure(SERVICE, () => openGroupClient(reach)),
      // A flow is a tree: a job with several successors does not exist.
      ...(shape !== "mixed" && { [FLOWS]: measure(FLOWS, field.rawBullmq.openFlowClient) }),
    });
  }
}
