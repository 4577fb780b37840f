import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** The data with which other commands find the service of `npm start`. */
const schema = z.object({
  pid: z.int(),
  version: z.string(),
  url: z.string(),
  graphql: z.string(),
  subscriptions: z.string(),
  console: z.string(),
  explorer: z.string().nullable().default(null),
  queues: z.string().nullable(),
  health: z.string(),
  workerHealth: z.string().default(""),
  token: z.string().nullable(),
  dataFolder: z.string(),
  databaseUrl: z.string(),
  redisUrl: z.string(),
  startedAt: z.string(),
});
export type ServiceFile = z.infer<typeof schema>;

const pathIn = (dataFolder: string) => join(dataFolder, "service.json");

/** Only the owner can read the file, because it contains a token and passwords. */
export async function writeServiceFile(dataFolder: string, service: ServiceFile): Promise<void> {
  const path = pathIn(dataFolder);
  await writeFile(`${path}.new`, `${JSON.stringify(service, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function removeServiceFile(dataFolder: string): Promise<void> {
  await rm(pathIn(dataFolder), { force: true });
}

/** Null when no service runs from this folder, or it was killed. */
export async function readServiceFile(dataFolder: string): Promise<ServiceFile | null> {
  const text = await readFile(pathIn(dataFolder), "utf8").catch(() => null);
  const service = text === null ? undefined : parse(text);
  return service && (await answers(service)) ? service : null;
}

function parse(text: string): ServiceFile | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function answers({ health }: ServiceFile): Promise<boolean> {
  return fetch(health, { signal: AbortSignal.timeout(3000) }).then(
    (response) => response.ok,
    () => false,
  );
}
