// node --enable-source-maps dist/examples/node-script.js photo.jpg: uploads it, makes a thumbnail,
// prints where it is. API and TOKEN name the service and who asks.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { WebSocket } from "ws";
import { createPhotoClient } from "./browser-client.js";

const { API: api = "http://127.0.0.1:4000", TOKEN: token = "" } = process.env;
const path = process.argv[2] ?? "photo.jpg";
const client = createPhotoClient({ api, getToken: async () => token, webSocketImpl: WebSocket });

const photo = await client.upload(
  new Blob([await readFile(path)], { type: "image/jpeg" }),
  basename(path),
);
const { id } = await client.submit({
  job: "thumbnail",
  parameters: { widths: [320] },
  photoIds: [photo.id],
  idempotencyKey: `thumbnail of ${photo.id}`,
});
const job = await new Promise<{ status: string; outputs: { name: string; url: string }[] }>(
  (resolve, reject) => {
    client
      .watch((jobs, event) => {
        if (event?.queuedJob.id === id)
          process.stdout.write(`${event.type} ${Math.round(event.queuedJob.progress * 100)} %\n`);
        const found = jobs.find((one) => one.id === id);
        if (found && ["SUCCESS", "FAILED", "CANCELLED"].includes(found.status)) resolve(found);
      })
      .catch(reject);
  },
);
for (const { name, url } of job.outputs)
  process.stdout.write(`${name} ${new URL(url, api).href}\n`);
client.close();
if (job.status !== "SUCCESS") process.exitCode = 1;
