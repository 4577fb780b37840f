import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { router } from "../../address/router.js";
import { besides } from "../../grid/steps.js";
import { PHOTO_DETAILS } from "../../operations.js";
import type { Photo, PhotoDetails } from "../../types.js";
import { useWorkspace } from "../../workspace.js";

interface ShownPhoto {
  /** The fields that the grid has, until the details are there. */
  photo: Photo | null;
  details: PhotoDetails | null;
  isGone: boolean;
  /** Reads the details again, once for each state of the jobs. */
  renew(): void;
}

/** The photo of the address, read again when jobs may have changed what was made of it. */
export function usePhoto(id: string): ShownPhoto {
  const { ask, library, counts } = useWorkspace();
  const details = useSignal<PhotoDetails | null>(null);
  const goneId = useSignal("");
  const renewals = useSignal("");
  const change = JSON.stringify(counts.byStatus.value);
  useEffect(() => {
    let isCurrent = true;
    ask<{ photo: PhotoDetails | null }>(PHOTO_DETAILS, { id }).then(
      ({ photo }) => {
        if (!isCurrent) return;
        details.value = photo;
        goneId.value = photo ? "" : id;
      },
      () => {},
    );
    return () => {
      isCurrent = false;
    };
  }, [id, change, renewals.value]);
  const current = details.value?.id === id ? details.value : null;
  return {
    photo: current ?? library.get(id) ?? null,
    details: current,
    isGone: goneId.value === id,
    renew() {
      renewals.value = id + change;
    },
  };
}

/** Leads to the photo before or behind this one, in the order of the grid. */
export function useNeighbours(id: string): (step: 1 | -1) => void {
  const { library } = useWorkspace();
  useEffect(() => {
    // Read before they are asked for, so that the next picture comes at once.
    const place = library.placeOf(id);
    for (const step of [1, -1] as const) {
      const next = place && besides(library.heads.peek(), place, step);
      if (next) void library.load(next).catch(() => {});
    }
  }, [id]);
  return (step) => {
    const place = library.placeOf(id);
    const next = place && besides(library.heads.peek(), place, step);
    if (!next) return;
    void library.load(next).then(
      (photo) => {
        if (photo && router.address.peek().photo === id)
          router.go({ photo: photo.id }, { replace: true });
      },
      () => {},
    );
  };
}
