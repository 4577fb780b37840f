import { once } from "node:events";
import type { StoreUrls } from "./start-stores.js";

/** The option that makes a process wait; `npm start` gives it, and then sends `StoreUrls`. */
export const STORES_FOLLOW = "stores-follow";
const isGiven = process.argv.includes(`--${STORES_FOLLOW}`);

/**
 * `npm start` brings up the databases while the API and the worker load what they are made of, and
 * then tells where they are.
 */
export async function waitForStores(): Promise<void> {
  if (!isGiven) return;
  const orphaned = () => process.exit(1);
  process.once("disconnect", orphaned);
  const [{ databaseUrl, redisUrl }] = (await once(process, "message")) as [StoreUrls];
  process.off("disconnect", orphaned);
  Object.assign(process.env, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
}

/**
 * Reports to `npm start` that this process listens; a health that answers could be another
 * program's.
 */
export function announceListening(): void {
  if (isGiven && process.connected) process.send?.("listens", undefined, undefined, () => {});
}
