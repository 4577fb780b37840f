import { plural } from "../in-words.js";
import type { ScrubResult } from "./result-types.js";

export function RemovedTags({ result: { removed, lossless } }: { result: ScrubResult }) {
  return (
    <>
      <p>
        {removed.length === 0
          ? "There was nothing to remove."
          : `${plural(removed.length, "thing")} removed; the file was read again and is ` +
            "clean."}{" "}
        {lossless ? "Every pixel is as it was." : "The picture was encoded anew."}
      </p>
      <ul class="tags" aria-label="Removed" tabIndex={0}>
        {removed.map((tag) => (
          <li key={tag}>{tag}</li>
        ))}
      </ul>
    </>
  );
}
