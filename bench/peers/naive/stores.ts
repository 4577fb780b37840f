import { drizzle } from "drizzle-orm/postgres-js";
import { Redis } from "ioredis";
import postgres from "postgres";

export const database = drizzle({
  client: postgres(process.env["DATABASE_URL"] ?? "", { onnotice: () => {} }),
});
export const connectRedis = () =>
  new Redis(process.env["REDIS_URL"] ?? "", { maxRetriesPerRequest: null });

export const QUEUE = "naive-jobs";
export const TOPIC = "naive-events";
