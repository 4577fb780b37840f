// node --enable-source-maps dist/examples/node-script.js photo.jpg
// Uploads the photo, makes a thumbnail and prints its URL. The variables API and TOKEN contain the
// service's address and the user's token. Elsewhere the import is "photo-service-client".
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { createPhotoService, PhotoServiceError } from "../client/src/index.js";

const { API: api = "http://127.0.0.1:4000", TOKEN: token = "" } = process.env;
const [path = "photo.jpg"] = process.argv.slice(2);
const service = createPhotoService({ url: api, token });
try {
  const photo = await service.upload(new Blob([await readFile(path)]), {
    filename: basename(path),
  });
  // With the same key, a second run returns the first QueuedJob.
  const idempotencyKey = `thumbnail of ${photo.id}`;
  let job = await service.run("thumbnail", { widths: [320] }, [photo], { idempotencyKey });
  for await (const { type, queuedJob } of service.watch(job)) {
    process.stdout.write(`${type} ${Math.round(queuedJob.progress * 100)} %\n`);
    job = queuedJob;
  }
  if (job.status !== "SUCCESS") throw new Error(job.error?.message ?? job.status);
  for (const { name, url } of job.outputs) process.stdout.write(`${name} ${url}\n`);
} catch (error) {
  const code = error instanceof PhotoServiceError ? `${error.code}: ` : "";
  process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  service.close();
}
