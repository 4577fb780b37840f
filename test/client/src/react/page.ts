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

/** Renders every hook to a text, with or without the provider. */
export const RENDER = `
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { createPhotoService } from "photo-service-client";
import {
  PhotoServiceProvider, useJob, useJobs, usePhotos, useUpload,
} from "photo-service-client/react";

function Everything() {
  const states = [useJobs().isLoading, usePhotos().isLoading, useJob(null).job];
  return h("p", null, JSON.stringify([...states, useUpload().uploads]));
}

export function render(isProvided) {
  const service = createPhotoService({ url: "http://127.0.0.1:9", token: "any" });
  const page = h(Everything);
  return renderToString(isProvided ? h(PhotoServiceProvider, { service }, page) : page);
}
`;
