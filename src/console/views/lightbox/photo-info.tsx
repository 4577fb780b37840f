import type { OutputFile } from "../../../../client/src/index.js";
import { ANY_PHOTO } from "../../address/address.js";
import { router } from "../../address/router.js";
import { bytes, localTime, number } from "../../in-words.js";
import { OutputPictures } from "../../results/pictures.js";
import type { Photo, PhotoDetails } from "../../types.js";
import { StatusPill } from "../jobs/status-pill.js";

/** The metadata of the photo, and the jobs that ran on it with their outputs. */
export function PhotoInfo({
  photo,
  details,
  onCompare,
}: {
  photo: Photo;
  details: PhotoDetails | null;
  onCompare(output: OutputFile): void;
}) {
  return (
    <aside class="photo-info" aria-label="Information" tabIndex={0}>
      <h2>{photo.filename}</h2>
      <dl class="facts">
        {factsOf(photo).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {photo.location && <Place photo={photo} location={photo.location} />}
        {photo.madeBy && (
          <div>
            <dt>Made by</dt>
            <dd>
              <a {...router.link({ view: "jobs", job: photo.madeBy, photo: null })}>a job</a>
            </dd>
          </div>
        )}
      </dl>
      <h3>Jobs</h3>
      {details === null && <p aria-busy="true" class="faint" />}
      {details?.queuedJobs.nodes.length === 0 && (
        <p class="faint">None yet. “New job” runs one on this photo.</p>
      )}
      {details?.queuedJobs.nodes.map(({ id, status, progress, job, outputs, expiresAt, error }) => (
        <article key={id} class="job-of-photo">
          <p>
            <a {...router.link({ view: "jobs", job: id, photo: null })}>{job.title}</a>
            <StatusPill status={status} progress={progress} />
          </p>
          {status === "FAILED" && error && <p class="fault">{error.message}</p>}
          {outputs.length > 0 && (
            <OutputPictures
              queuedJobId={id}
              outputs={outputs}
              expiresAt={expiresAt}
              photo={photo}
              onCompare={onCompare}
            />
          )}
        </article>
      ))}
    </aside>
  );
}

function Place({ location }: { photo: Photo; location: NonNullable<Photo["location"]> }) {
  const { latitude, longitude, altitude } = location;
  const near = `${latitude.toFixed(4)},${longitude.toFixed(4)}`;
  const point =
    `${Math.abs(latitude).toFixed(4)}° ${latitude < 0 ? "S" : "N"}, ` +
    `${Math.abs(longitude).toFixed(4)}° ${longitude < 0 ? "W" : "E"}`;
  return (
    <div>
      <dt>Place</dt>
      <dd>
        {point}
        {altitude !== null && `, ${number(Math.round(altitude))} m`}{" "}
        <a {...router.link({ view: "photos", photo: null, photos: { ...ANY_PHOTO, near } })}>
          Photos near here
        </a>
      </dd>
    </div>
  );
}

function factsOf(photo: Photo): [string, string][] {
  const { takenAt, takenAtOffset, camera, lens, width, height, byteSize, mimeType } = photo;
  const megapixels = Math.round((width * height) / 1e5) / 10;
  const facts: [string, string | null][] = [
    ["Taken", takenAt && `${localTime(takenAt)}${takenAtOffset ? ` (${takenAtOffset})` : ""}`],
    ["Camera", camera],
    ["Lens", lens],
    ["Size", `${width} × ${height}, ${megapixels} MP`],
    ["File", `${mimeType.replace("image/", "").toUpperCase()}, ${bytes(byteSize)}`],
    ["Uploaded", localTime(photo.createdAt)],
  ];
  return facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
}
