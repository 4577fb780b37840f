import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { HashResult } from "../../../client/src/index.js";
import { plural } from "../in-words.js";
import type { Photo } from "../types.js";
import { Preview } from "../views/preview.js";
import { useWorkspace } from "../workspace.js";

/** The photo beside its likely duplicates. */
export function Duplicates({
  result: { sha256, phash, duplicates },
  photo,
}: {
  result: HashResult;
  photo: Photo | undefined;
}) {
  const { findPhotos } = useWorkspace();
  const matches = useSignal<Photo[]>([]);
  useEffect(() => {
    void findPhotos(duplicates.slice(0, 20).map(({ photoId }) => photoId)).then(
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
        <ul class="alike" aria-label="Similar photos">
          {photo && (
            <li>
              <Preview photo={photo} whole />
              <span class="faint">{photo.filename}</span>
            </li>
          )}
          {matches.value.map((other) => (
            <li key={other.id}>
              <Preview photo={other} whole />
              <span class="faint">
                {other.filename} ·{" "}
                {distance(duplicates.find(({ photoId }) => photoId === other.id)?.distance)}
              </span>
            </li>
          ))}
        </ul>
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

function distance(bits: number | undefined): string {
  return bits === 0 ? "identical" : `${plural(bits ?? 0, "bit")} of 64 differ`;
}
