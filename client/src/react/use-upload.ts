import { useCallback, useEffect, useRef, useState } from "react";
import type { PhotoServiceError } from "../errors.js";
import type { Photo } from "../types.js";
import { usePhotoService } from "./provider.js";

export interface UploadState {
  file: Blob;
  /** 0 to 1. */
  progress: number;
  /** Null until the upload is complete. */
  photo: Photo | null;
  /** Why it failed; null if it did not. */
  error: PhotoServiceError | null;
  /** Stops the upload and removes it from the list. */
  cancel(): void;
}

export interface UseUpload {
  /** Resolves with the Photo, or with null if the upload failed or was cancelled. */
  upload(file: Blob): Promise<Photo | null>;
  /** All uploads of this component, oldest first. */
  uploads: readonly UploadState[];
  /** Removes finished and failed uploads from the list. */
  clear(): void;
}

/** Uploads photos and shows their progress. Unmounting stops what is unfinished. */
export function useUpload(): UseUpload {
  const service = usePhotoService();
  const [uploads, setUploads] = useState<readonly UploadState[]>([]);
  const running = useRef(new Set<AbortController>());
  useEffect(() => {
    const controllers = running.current;
    return () => {
      for (const controller of controllers) controller.abort();
    };
  }, []);

  const upload = useCallback(
    async (file: Blob): Promise<Photo | null> => {
      const controller = new AbortController();
      const { signal } = controller;
      const cancel = (): void => {
        controller.abort();
        setUploads((list) => list.filter((one) => one.cancel !== cancel));
      };
      const change = (changes: Partial<UploadState>): void =>
        setUploads((list) =>
          list.map((one) => (one.cancel === cancel ? { ...one, ...changes } : one)),
        );
      running.current.add(controller);
      setUploads((list) => [...list, { file, progress: 0, photo: null, error: null, cancel }]);
      try {
        const onProgress = (progress: number): void => change({ progress });
        const photo = await service.upload(file, { signal, onProgress });
        change({ photo });
        return photo;
      } catch (error) {
        if (!signal.aborted) change({ error: error as PhotoServiceError });
        return null;
      } finally {
        running.current.delete(controller);
      }
    },
    [service],
  );

  const clear = useCallback(
    () => setUploads((list) => list.filter(({ photo, error }) => !photo && !error)),
    [],
  );
  return { upload, uploads, clear };
}
