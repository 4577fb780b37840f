import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Photo, PhotoDetails } from "../../types.js";
import { Icon } from "../frame/icons.js";
import { blurOf } from "../preview.js";
import type { Zoom } from "./zoom.js";

/** Small pictures are enlarged up to this many pixels. */
const MIN_SHOWN_PX = 480;

/** The photo as large as the stage: a blur, the preview, then the size that the screen needs. */
export function Picture({
  photo,
  details,
  zoom: { scale, x, y },
  onExpired,
}: {
  photo: Photo;
  details: PhotoDetails | null;
  zoom: Zoom;
  /** Called when an image cannot be fetched: signed URLs expire. */
  onExpired(): void;
}) {
  const isThere = useSignal(false);
  const blur = useMemo(() => blurOf(photo.thumbhash), [photo.thumbhash]);
  const { width, height, filename, damaged } = photo;
  if (damaged)
    return (
      <div class="empty is-damaged">
        <Icon name="warning" size={40} />
        <h2>This picture is damaged</h2>
        <p>{damaged}</p>
        <p>The file is kept as it was uploaded, and can be downloaded.</p>
      </div>
    );
  return (
    <div
      class={scale > 1 ? "picture is-large" : "picture"}
      style={{
        "--ratio": String(width / height),
        "--most": `${Math.max(width, MIN_SHOWN_PX)}px`,
        aspectRatio: `${width} / ${height}`,
        transform: `translate(${x}px, ${y}px) scale(${scale})`,
      }}
    >
      {blur && <img src={blur} alt="" />}
      {photo.previewUrl && <img src={photo.previewUrl} alt="" draggable={false} />}
      {details && (
        <img
          class={isThere.value ? "full is-there" : "full"}
          srcset={details.srcset}
          sizes={scale > 1 ? "3840px" : `min(100vw, ${Math.round((100 * width) / height)}vh)`}
          src={photo.previewUrl ?? ""}
          alt={filename}
          draggable={false}
          onLoad={() => {
            isThere.value = true;
          }}
          onError={onExpired}
        />
      )}
    </div>
  );
}
