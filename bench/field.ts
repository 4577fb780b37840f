import { startBareServer } from "./peers/bare-server.js";
import type { GraphqlPeer } from "./peers/graphql-peer.js";
import { startNaive } from "./peers/naive.js";
import { createServiceDatabase, startPhotoService } from "./peers/photo-service.js";
import { startRawBullmq } from "./peers/raw-bullmq.js";
import type { Rig } from "./rig.js";

/** All contestants of a round. They run at the same time, but only one is under load. */
export interface Field {
  service: GraphqlPeer;
  naive: GraphqlPeer;
  rawBullmq: Awaited<ReturnType<typeof startRawBullmq>>;
  bare: Awaited<ReturnType<typeof startBareServer>>;
  close(): Promise<void>;
}

/** Starts all contestants on empty stores. */
export async function startField(rig: Rig, serviceEnv: Record<string, string>): Promise<Field> {
  await rig.emptyRedis();
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> =>
    void (await Promise.all(started.splice(0).map((peer) => peer.close())));
  async function keep<T extends { close(): Promise<void> }>(peer: Promise<T>): Promise<T> {
    started.push(await peer);
    return peer;
  }
  try {
    const service = await keep(
      startPhotoService(rig, {
        name: "photo_service",
        database: await createServiceDatabase(rig, "photo_service"),
        env: serviceEnv,
      }),
    );
    const naive = await keep(startNaive(rig));
    return {
      service,
      naive,
      rawBullmq: await keep(startRawBullmq(rig)),
      bare: await keep(startBareServer(rig)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
