import { useSignal } from "@preact/signals";
import { messageOf, plural } from "../in-words.js";
import type { Photo } from "../types.js";
import { useWorkspace } from "../workspace.js";
import { Preview } from "./preview.js";

export function PhotoGrid() {
  const { photos } = useWorkspace();
  const complaint = useSignal<string | null>(null);
  const { chosen } = photos;
  const remove = (): void => {
    complaint.value = null;
    photos.deleteChosen().catch((error: unknown) => {
      complaint.value = messageOf(error);
    });
  };
  if (photos.photos.value.length === 0)
    return <p class="faint">No photos yet. Add one to get started, or try Echo without one.</p>;
  return (
    <>
      <ul class="photo-grid" aria-label="Your photos">
        {photos.photos.value.map((photo) => (
          <PhotoTile key={photo.id} photo={photo} place={chosen.value.indexOf(photo.id)} />
        ))}
      </ul>
      <p class="line">
        <span class="faint">
          {chosen.value.length === 0
            ? "None selected"
            : `${plural(chosen.value.length, "photo")} selected`}
        </span>
        <button type="button" class="link" onClick={photos.chooseAll}>
          All
        </button>
        <button
          type="button"
          class="link"
          disabled={chosen.value.length === 0}
          onClick={photos.chooseNone}
        >
          None
        </button>
        <button type="button" class="link" disabled={chosen.value.length === 0} onClick={remove}>
          Delete
        </button>
        {photos.hasMore.value && (
          <button type="button" class="link" onClick={() => void photos.readMore()}>
            More
          </button>
        )}
      </p>
      {complaint.value && (
        <p role="alert" class="fault">
          {complaint.value}
        </p>
      )}
    </>
  );
}

function PhotoTile({ photo, place }: { photo: Photo; place: number }) {
  const { photos } = useWorkspace();
  return (
    <li>
      <button
        type="button"
        class="tile"
        aria-pressed={place >= 0}
        title={`${photo.filename} · ${photo.width} × ${photo.height}`}
        onClick={() => photos.toggle(photo.id)}
      >
        <Preview photo={photo} isNamed />
        {place >= 0 && (
          <span class="mark" aria-hidden="true">
            {place + 1}
          </span>
        )}
      </button>
    </li>
  );
}
