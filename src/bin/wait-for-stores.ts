import { once } from "node:events";
import type { StoreUrls } from "./start-stores.js";

/** The argument that makes a process wait; to be given by whoever then tells it `StoreUrls`. */
export const STORES_FOLLOW = "--stores-follow";

/** `npm start` brings up the databases while the API and the worker load what they are made of, and then tells where they are. */
export async function waitForStores(): Promise<void> {
  if (!process.argv.includes(STORES_FOLLOW)) return;
  const orphaned = () => process.exit(1);
  process.once("disconnect", orphaned);
  const [{ databaseUrl, redisUrl }] = (await once(process, "message")) as [StoreUrls];
  process.off("disconnect", orphaned);
  Object.assign(process.env, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
}
