import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { router } from "../../address/router.js";
import { number, plural } from "../../in-words.js";
import { readPhotos } from "../../library/reads.js";
import type { Photo } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { Preview } from "../preview.js";
import { UploadButton } from "../uploads/upload-button.js";
import { JobForm } from "./job-form.js";

const MAX_PICTURES = 11;
const close = (): void => router.close("newJob");

/** The form for a new job, beside the photos that it runs on; on phones it covers them. */
export function JobSheet() {
  const sheet = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    sheet.current?.querySelector<HTMLElement>("select")?.focus({ preventScroll: true });
    return () => before?.focus({ preventScroll: true });
  }, []);
  return (
    <aside
      class="job-sheet"
      aria-label="New job"
      ref={sheet}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <header>
        <h2>New job</h2>
        <button type="button" class="plain" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <JobForm inputs={<Inputs />} />
    </aside>
  );
}

/** The photos that the job runs on. */
function Inputs() {
  const { photos, submission } = useWorkspace();
  const count = photos.count.value;
  const { maxPhotos, minPhotos } = submission.job.value;
  if (maxPhotos === 0) return <p class="faint">This job needs no photo.</p>;
  if (count === 0)
    return (
      <div class="inputs is-empty">
        <p>
          {minPhotos > 1
            ? `Select ${minPhotos} or more photos in the grid.`
            : "Select photos in the grid."}
        </p>
        <span class="buttons">
          <a
            class="button small only-narrow"
            {...router.link({ view: "photos", isComposing: false, photo: null })}
          >
            Choose
          </a>
          <UploadButton label="Add photos" className="small" />
        </span>
      </div>
    );
  return <SelectedPhotos />;
}

function SelectedPhotos() {
  const { photos, submission } = useWorkspace();
  const { maxPhotos } = submission.job.value;
  const count = photos.count.value;
  const shown = useFirst(photos.ids.value);
  return (
    <div class="inputs">
      <p>
        <strong>{plural(count, "photo")}</strong>
        <button type="button" class="plain" onClick={photos.clear}>
          Clear
        </button>
      </p>
      <ul class="strip" aria-label="Selected photos">
        {shown.map((photo) => (
          <li key={photo.id}>
            <Preview photo={photo} isNamed />
            <button
              type="button"
              aria-label={`Remove ${photo.filename}`}
              onClick={() => photos.toggle(photo.id)}
            >
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
        {count > shown.length && <li class="rest">+{number(count - shown.length)}</li>}
      </ul>
      {maxPhotos > 1 && count > maxPhotos && (
        <p class="warning">The first {number(maxPhotos)} are used: this job takes no more.</p>
      )}
    </div>
  );
}

/** The first of these photos; those that the grid has not read are read here. */
function useFirst(ids: readonly string[]): Photo[] {
  const { ask, library } = useWorkspace();
  const read = useSignal<readonly Photo[]>([]);
  const find = (id: string): Photo | undefined =>
    library.get(id) ?? read.value.find((photo) => photo.id === id);
  const first = ids.slice(0, MAX_PICTURES);
  const missing = first.filter((id) => !find(id));
  useEffect(() => {
    readPhotos(ask, missing).then(
      (photos) => {
        read.value = [...read.value, ...photos];
      },
      () => {},
    );
  }, [missing.join()]);
  return first.map(find).filter((photo) => photo !== undefined);
}
