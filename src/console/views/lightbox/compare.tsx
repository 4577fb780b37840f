import { useSignal } from "@preact/signals";
import type { OutputFile } from "../../../../client/src/index.js";
import type { InputPhoto } from "../../types.js";
import { Icon } from "../frame/icons.js";

/** Largest difference of two shapes that are still compared. */
const SAME_SHAPE = 0.02;

/** True if the output shows the whole photo, so that both can lie on each other. */
export function isComparable(photo: InputPhoto | undefined, output: OutputFile): boolean {
  if (!photo || !output.width || !output.height || !output.mimeType.startsWith("image/"))
    return false;
  const [before, after] = [photo.width / photo.height, output.width / output.height];
  return Math.abs(before / after - 1) < SAME_SHAPE;
}

/** The photo and what a job made of it, with a divider that the user moves. */
export function Compare({
  photo,
  output,
  onClose,
}: {
  photo: InputPhoto;
  output: OutputFile;
  onClose?: () => void;
}) {
  const part = useSignal(50);
  return (
    <figure class="compare">
      <div
        class="picture"
        style={{
          "--ratio": String(photo.width / photo.height),
          "--most": "100000px",
          "--part": `${part.value}%`,
          aspectRatio: `${photo.width} / ${photo.height}`,
        }}
      >
        <img src={photo.previewUrl ?? photo.url} srcset={photo.srcset} sizes="100vw" alt="Before" />
        <img class="after" src={output.url} alt="After" />
        <span class="divider" aria-hidden="true">
          <Icon name="compare" size={18} />
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={0.5}
          value={part.value}
          aria-label="Divider between before and after"
          onInput={(event) => {
            part.value = Number(event.currentTarget.value);
          }}
        />
        <span class="tag is-left">Before</span>
        <span class="tag is-right">{output.name}</span>
      </div>
      {onClose && (
        <button type="button" class="small done" onClick={onClose}>
          Done comparing
        </button>
      )}
    </figure>
  );
}
