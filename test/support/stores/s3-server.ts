import { buildApp } from "fauxqs";

export interface S3Server {
  endpoint: string;
  /** Name of a bucket that exists. */
  bucket: string;
  close(): Promise<void>;
}

/** An S3-compatible in-memory server in this process; it accepts every signature. */
export async function startS3Server(): Promise<S3Server> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });
  const bucket = "test-bucket";
  await fetch(`${endpoint}/${bucket}`, { method: "PUT" });
  return { endpoint, bucket, close: () => app.close() };
}
