import { buildApp } from "fauxqs";

export interface S3Server {
  endpoint: string;
  /** One that is there. */
  bucket: string;
  close(): Promise<void>;
}

/**
 * An S3-compatible server in this process, which forgets all with its end and believes every
 * signature.
 */
export async function startS3Server(): Promise<S3Server> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const bucket = "test-bucket";
  await fetch(`${endpoint}/${bucket}`, { method: "PUT" });
  return { endpoint, bucket, close: () => app.close() };
}
