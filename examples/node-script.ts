// node --enable-source-maps dist/examples/node-script.js photo.jpg
// Uploads the photo, makes a thumbnail and prints its URL. The variables API and TOKEN contain the
// service's address and the user's token.
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
        const current = jobs.find((one) => one.id === id);
        if (current && ["SUCCESS", "FAILED", "CANCELLED"].includes(current.status))
          resolve(current);
      })
      .catch(reject);
  },
);
for (const { name, url } of job.outputs)
  process.stdout.write(`${name} ${new URL(url, api).href}\n`);
client.close();
if (job.status !== "SUCCESS") process.exitCode = 1;
