import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { HashResult } from "../../../client/src/index.js";
import { plural } from "../in-words.js";
import { router } from "../address/router.js";
import { readPhotos } from "../library/reads.js";
import type { InputPhoto, Photo } from "../types.js";
import { Preview } from "../views/preview.js";
import { useWorkspace } from "../workspace.js";

/** The photo beside its likely duplicates. */
export function Duplicates({
  result: { sha256, phash, duplicates },
  photo,
}: {
  result: HashResult;
  photo: InputPhoto | undefined;
}) {
  const { ask } = useWorkspace();
  const matches = useSignal<Photo[]>([]);
  useEffect(() => {
    const ids = duplicates.slice(0, 20).map(({ photoId }) => photoId);
    void readPhotos(ask, ids).then(
      (photos) => {
        matches.value = photos;
      },
      () => {},
    );
  }, [duplicates]);
  return (
    <>
      <p>
        {duplicates.length === 0
          ? "No duplicates found."
          : `${plural(duplicates.length, "similar photo")} found.`}
      </p>
      {duplicates.length > 0 && (
        <Alike photo={photo} matches={matches.value} duplicates={duplicates} />
      )}
      <dl class="card is-small">
        <div>
          <dt>Perceptual hash</dt>
          <dd>
            <code>{phash ?? "none: the image is almost uniform"}</code>
          </dd>
        </div>
        <div>
          <dt>SHA-256</dt>
          <dd>
            <code>{sha256}</code>
          </dd>
        </div>
      </dl>
    </>
  );
}

function Alike({
  photo,
  matches,
  duplicates,
}: {
  photo: InputPhoto | undefined;
  matches: readonly Photo[];
  duplicates: HashResult["duplicates"];
}) {
  return (
    <ul class="alike" aria-label="Similar photos">
      {photo && (
        <li>
          <Preview photo={photo} />
          <span class="faint">{photo.filename}</span>
        </li>
      )}
      {matches.map((other) => (
        <li key={other.id}>
          <a {...router.link({ photo: other.id })} aria-label={other.filename}>
            <Preview photo={other} />
          </a>
          <span class="faint">
            {other.filename} ·{" "}
            {distance(duplicates.find(({ photoId }) => photoId === other.id)?.distance)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function distance(bits: number | undefined): string {
  return bits === 0
    ? "looks the same"
    : `${Math.round((1 - (bits ?? 0) / 64) * 100)}\u00a0% similar`;
}
