import { join } from "node:path";
import { createLocalStorage } from "../../src/photos/local-storage.js";
import { createS3Storage } from "../../src/photos/s3-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { createLogger } from "../../src/runtime/logger.js";
import { startS3Server } from "../support/stores/s3-server.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";

export const STORAGE_KINDS = ["file", "s3"] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** The storage of a run: a folder, or a private S3 server behind a proxy. */
export interface StoredFiles {
  /** Null for a folder. */
  proxy: TcpProxy | null;
  /** Environment of the service's processes. */
  env: Record<string, string>;
  /** Opens the storage without the proxy. */
  open(): Promise<Storage>;
  close(): Promise<void>;
}

/** The processes of the service run in `folder`, so that they share its scratch folder. */
export async function openStoredFiles(folder: string, kind: StorageKind): Promise<StoredFiles> {
  if (kind === "s3") return openS3(folder);
  const photos = join(folder, "photos");
  return {
    proxy: null,
    env: { STORAGE_URL: `file:${photos}` },
    open: () => createLocalStorage(photos),
    close: async () => {},
  };
}

async function openS3(folder: string): Promise<StoredFiles> {
  const server = await startS3Server();
  const proxy = await createTcpProxy(server.endpoint);
  const [accessKeyId, secretAccessKey] = ["key", "secret"];
  return {
    proxy,
    env: {
      STORAGE_URL: `s3://${server.bucket}`,
      AWS_ENDPOINT_URL: proxy.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    },
    open: () =>
      createS3Storage({
        bucket: server.bucket,
        prefix: "",
        region: "us-east-1",
        endpoint: server.endpoint,
        accessKeyId,
        secretAccessKey,
        scratchFolder: join(folder, ".data", "scratch"),
        log: createLogger({ name: "chaos", level: "silent", pretty: false }),
      }),
    async close() {
      await proxy.close();
      await server.close();
    },
  };
}
