import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { InlineConfig } from "vite";
import { serveBundle, type ServedBundle } from "../../../support/clients/serve-bundle.js";

/** The sources, because the other tests compile without the types of React. */
export const ALIASES: NonNullable<NonNullable<InlineConfig["resolve"]>["alias"]> = [
  { find: "photo-service-client/groups", replacement: resolve("client/src/groups/index.ts") },
  { find: "photo-service-client/react", replacement: resolve("client/src/react/index.ts") },
  { find: "photo-service-client", replacement: resolve("client/src/index.ts") },
  { find: /^(react|react-dom)(?=\/|$)/, replacement: resolve("node_modules", "$1") },
];

/** Serves a page that runs this code. */
export async function servePage(port: number, main: string): Promise<ServedBundle> {
  const root = mkdtempSync(join(tmpdir(), "photo-service-hooks-"));
  writeFileSync(
    join(root, "index.html"),
    '<!doctype html><title>Page</title><link rel="icon" href="data:,"><div id="root"></div>' +
      '<script type="module" src="./main.js"></script>',
  );
  writeFileSync(join(root, "main.js"), main);
  const bundle = await serveBundle(port, { root, resolve: { alias: ALIASES } });
  return {
    origin: bundle.origin,
    async close() {
      await bundle.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A page that uses every hook, in strict mode; the test serves it as `main.js`. */
export const PAGE = `
import { createElement as h, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createPhotoService } from "photo-service-client";
import {
  PhotoServiceProvider, useJob, useJobs, usePhotos, usePhotoService, useUpload,
} from "photo-service-client/react";

const [url, token] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const service = createPhotoService({ url, token });
window.service = service;
window.events = [];
window.fractions = [];

function Picture() {
  const service = usePhotoService();
  const { upload, uploads } = useUpload();
  const [submitted, setSubmitted] = useState(null);
  const { job } = useJob(submitted);
  window.fractions.push(uploads.at(-1)?.progress);
  const choose = async ({ target }) => {
    const photo = await upload(target.files[0]);
    if (photo) setSubmitted(await service.run("thumbnail", { widths: [32] }, [photo]));
  };
  return h("section", null,
    h("input", { type: "file", onChange: choose }),
    h("output", null, uploads.at(-1)?.error?.code ?? job?.status ?? ""),
    job?.outputs.map(({ name, url }) => h("img", { key: name, src: url, alt: name })),
  );
}

function Jobs() {
  const { jobs, isLive } = useJobs({ onEvent: (event) => window.events.push(event) });
  return h("ol", { "data-live": isLive },
    jobs.map(({ id, job, status }) => h("li", { key: id }, job.name + " " + status)));
}

function Photos() {
  const { photos } = usePhotos();
  return h("ul", null, photos.map(({ id, filename }) => h("li", { key: id }, filename)));
}

function App() {
  const [isShown, setShown] = useState(true);
  return h(PhotoServiceProvider, { service },
    h("button", { onClick: () => setShown(!isShown) }, "Toggle"),
    isShown && [h(Picture, { key: 1 }), h(Jobs, { key: 2 }), h(Photos, { key: 3 })]);
}

createRoot(document.getElementById("root")).render(h(StrictMode, null, h(App)));
`;

/** A page that notes what `useJobs` and `useJob` show to several users, in strict mode. */
export const NOTING_PAGE = `
import { createElement as h, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { createPhotoService } from "photo-service-client";
import { PhotoServiceProvider, useJob, useJobs } from "photo-service-client/react";

const [url, tokens] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const services = tokens.map((token) => createPhotoService({ url, token }));
window.notes = tokens.map(() => ({ liveSince: 0, losses: 0, events: [], rows: {}, jobs: {} }));

function Job({ note, queuedJob }) {
  const { job } = useJob(queuedJob);
  if (job) (note.jobs[job.id] ??= []).push([job.version, job.status]);
  return null;
}

function Jobs({ note }) {
  const onEvent = ({ type, queuedJob }) => note.events.push([queuedJob.id, type]);
  const { jobs, isLive } = useJobs({ onEvent });
  useEffect(() => {
    if (isLive) note.liveSince ||= Date.now();
    else if (note.liveSince) Object.assign(note, { liveSince: 0, losses: note.losses + 1 });
  });
  for (const { id, version, status } of jobs) note.rows[id] = [version, status];
  return jobs.map((queuedJob) => h(Job, { key: queuedJob.id, note, queuedJob }));
}

createRoot(document.getElementById("root")).render(h(StrictMode, null,
  services.map((service, i) =>
    h(PhotoServiceProvider, { key: i, service }, h(Jobs, { note: window.notes[i] })))));
`;

/** Renders every hook to a text, with or without the provider. */
export const RENDER = `
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createPhotoService } from "photo-service-client";
import {
  PhotoServiceProvider, useGroup, useJob, useJobs, usePhotoJob, usePhotos, useUpload,
} from "photo-service-client/react";

function Everything() {
  const states = [useJobs().isLoading, usePhotos().isLoading, useJob(null).job, useGroup(null).jobs];
  const { photo, progress } = usePhotoJob("thumbnail", {});
  return h("p", null, JSON.stringify([...states, useUpload().uploads, photo, progress]));
}

export function render(isProvided) {
  const service = createPhotoService({ url: "http://127.0.0.1:9", token: "any" });
  const page = h(Everything);
  return renderToString(isProvided ? h(PhotoServiceProvider, { service }, page) : page);
}
`;
