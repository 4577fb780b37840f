// The state of the page as the query of its URL. Absent parts have their defaults.
import type { QueuedJobStatus } from "../../../client/src/index.js";

type ViewName = "photos" | "jobs";

/** Conditions on the photos shown, in the terms of the page. */
export interface PhotoSearch {
  /** Part of the file name. */
  text: string;
  /** First and last day of taking, both inclusive: `2024-05-06`. Empty for any. */
  from: string;
  to: string;
  camera: string;
  kind: "" | "uploads" | "kept" | "damaged";
  /** Id of a photo whose near-duplicates are shown. */
  like: string;
  /** Centre of a square of about 20 km: `48.1372,11.5755`. */
  near: string;
  order: "taken" | "added";
}

export interface JobSearch {
  status: QueuedJobStatus[];
  /** Name of a Job; empty for any. */
  job: string;
  /** Part of a job's title, message or photo name. */
  text: string;
}

export interface Address {
  view: ViewName;
  /** Id of the photo in the full view. */
  photo: string | null;
  /** Id of the QueuedJob whose details are open. */
  job: string | null;
  /** Id of the JobGroup whose jobs the list shows. */
  group: string | null;
  /** True while the sheet for a new job is open. */
  isComposing: boolean;
  /** Name of the Job in that sheet; empty for the default. */
  newJob: string;
  photos: PhotoSearch;
  jobs: JobSearch;
}

export const ANY_PHOTO: PhotoSearch = {
  text: "",
  from: "",
  to: "",
  camera: "",
  kind: "",
  like: "",
  near: "",
  order: "taken",
};
export const ANY_JOB: JobSearch = { status: [], job: "", text: "" };
export const HOME: Address = {
  view: "photos",
  photo: null,
  job: null,
  group: null,
  isComposing: false,
  newJob: "",
  photos: ANY_PHOTO,
  jobs: ANY_JOB,
};

const STATUSES: readonly QueuedJobStatus[] = [
  "PENDING",
  "STARTED",
  "SUCCESS",
  "FAILED",
  "CANCELLED",
];
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const POINT = /^-?\d{1,2}(\.\d{1,9})?,-?\d{1,3}(\.\d{1,9})?$/;
const NAME = /^[a-z][a-z0-9-]*$/;
const MAX_TEXT = 200;
/** Stands for the Job that the sheet has before one is chosen. */
const DEFAULT_JOB = "job";

/** Reads the query of a URL. A part that is not valid is ignored. */
export function parseAddress(query: string): Address {
  const parameters = new URLSearchParams(query);
  const text = (name: string): string => (parameters.get(name) ?? "").slice(0, MAX_TEXT);
  const valid = (name: string, pattern: RegExp): string => {
    const value = text(name);
    return pattern.test(value) ? value : "";
  };
  const kind = text("kind");
  return {
    view: text("view") === "jobs" ? "jobs" : "photos",
    photo: valid("photo", ID) || null,
    job: valid("job", ID) || null,
    group: valid("group", ID) || null,
    isComposing: text("new") !== "",
    newJob: text("new") === DEFAULT_JOB ? "" : valid("new", NAME),
    photos: {
      text: text("q"),
      from: isDay(text("from")) ? text("from") : "",
      to: isDay(text("to")) ? text("to") : "",
      camera: text("camera"),
      kind: kind === "uploads" || kind === "kept" || kind === "damaged" ? kind : "",
      like: valid("like", ID),
      near: isPoint(text("near")) ? text("near") : "",
      order: text("order") === "added" ? "added" : "taken",
    },
    jobs: {
      status: STATUSES.filter((status) => text("state").toUpperCase().split(",").includes(status)),
      job: text("kind-of-job"),
      text: text("find"),
    },
  };
}

/** False for days that no calendar has, such as 2023-02-29. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return DAY.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isPoint(text: string): boolean {
  const [latitude = 0, longitude = 0] = text.split(",").map(Number);
  return POINT.test(text) && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** The URL of an address, relative to the page. */
export function formatAddress(address: Address): string {
  const { view, photo, job, group, isComposing, newJob, photos, jobs } = address;
  const parts: [string, string][] = [
    ["view", view === "photos" ? "" : view],
    ["q", photos.text],
    ["from", photos.from],
    ["to", photos.to],
    ["camera", photos.camera],
    ["kind", photos.kind],
    ["like", photos.like],
    ["near", photos.near],
    ["order", photos.order === "added" ? "added" : ""],
    ["state", jobs.status.join(",").toLowerCase()],
    ["kind-of-job", jobs.job],
    ["find", jobs.text],
    ["group", group ?? ""],
    ["job", job ?? ""],
    ["new", isComposing ? newJob || DEFAULT_JOB : ""],
    ["photo", photo ?? ""],
  ];
  const query = new URLSearchParams(parts.filter(([, value]) => value !== "")).toString();
  return query === "" ? "/" : `/?${query.replaceAll("%2C", ",")}`;
}

/** The address, with the same objects for what has not changed: a new one starts a new search. */
export function withSameParts(next: Address, before: Address): Address {
  const isSame = (part: "photos" | "jobs"): boolean =>
    JSON.stringify(next[part]) === JSON.stringify(before[part]);
  return {
    ...next,
    photos: isSame("photos") ? before.photos : next.photos,
    jobs: isSame("jobs") ? before.jobs : next.jobs,
  };
}

/** True if a condition leaves photos out. */
export function isSearching(search: PhotoSearch): boolean {
  return (Object.keys(ANY_PHOTO) as (keyof PhotoSearch)[]).some(
    (name) => name !== "order" && search[name] !== ANY_PHOTO[name],
  );
}
