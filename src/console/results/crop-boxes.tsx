import type { Photo } from "../types.js";
import { Preview } from "../views/preview.js";
import type { CropResult } from "./result-types.js";

/** Where the crops lie on the upright photo. */
export function CropBoxes({
  result: { crops },
  photo,
}: {
  result: CropResult;
  photo: Photo | undefined;
}) {
  if (!photo) return null;
  const percent = (part: number, whole: number): string => `${(part / whole) * 100}%`;
  return (
    <div class="crop-boxes">
      <Preview photo={photo} whole isNamed />
      {crops.map(({ ratio, left, top, width, height }, i) => (
        <span
          key={ratio}
          class={`box tone-${i % 4}`}
          title={`${ratio}: ${width} × ${height} at ${left}, ${top}`}
          style={{
            left: percent(left, photo.width),
            top: percent(top, photo.height),
            width: percent(width, photo.width),
            height: percent(height, photo.height),
          }}
        >
          <span>{ratio}</span>
        </span>
      ))}
    </div>
  );
}
