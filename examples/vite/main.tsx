// React with the hooks of the package: the types come with it, and there is nothing to generate.
import { createPhotoService } from "photo-service-client";
import { keepOutput } from "photo-service-client/images";
import { PhotoServiceProvider, usePhotoJob, usePhotoService } from "photo-service-client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { thumbHashToDataURL } from "thumbhash";
import { Gallery } from "./gallery";

const service = createPhotoService({
  url: import.meta.env.VITE_API ?? "http://127.0.0.1:4000",
  token: import.meta.env.VITE_TOKEN,
});

function Thumbnail() {
  const client = usePhotoService();
  const { start, cancel, progress, photo, job, error } = usePhotoJob("thumbnail", {
    widths: [320, 2560],
  });
  const [variant] = job?.result?.variants ?? [];
  const [output] = job?.outputs ?? [];
  return (
    <>
      <input
        type="file"
        aria-label="Photo"
        accept="image/*"
        onChange={({ target }) => void start(target.files?.[0])}
      />
      <progress aria-label="Progress" value={progress} />
      <button onClick={() => void cancel()}>Cancel</button>
      {job && output && (
        <button onClick={() => void keepOutput(client, job, output.name)}>Keep</button>
      )}
      <p role="status">{error?.message ?? job?.error?.message ?? job?.status}</p>
      {photo && (
        <img
          alt={photo.filename}
          width={variant?.width ?? 320}
          height={variant?.height}
          src={output?.url ?? blurred(photo.thumbhash)}
        />
      )}
    </>
  );
}

/** A blurred picture of some 25 bytes, which is there before the thumbnail. */
function blurred(thumbhash: string | null) {
  return thumbHashToDataURL(Uint8Array.from(atob(thumbhash ?? ""), (byte) => byte.charCodeAt(0)));
}

createRoot(document.getElementById("root") ?? document.body).render(
  <StrictMode>
    <PhotoServiceProvider service={service}>
      <Thumbnail />
      <Gallery />
    </PhotoServiceProvider>
  </StrictMode>,
);
