import { bytes } from "../in-words.js";
import type { OutputFile } from "../types.js";

/** The files that a task made, each a link to itself. */
export function OutputPictures({ outputs }: { outputs: readonly OutputFile[] }) {
  return (
    <ul class={outputs.length === 1 ? "outputs is-one" : "outputs"} aria-label="Files">
      {outputs.map((output) => (
        <li key={output.name}>
          <a href={output.url} target="_blank" rel="noreferrer">
            {output.mimeType.startsWith("image/") && (
              <img
                src={output.url}
                alt=""
                loading="lazy"
                width={output.width ?? undefined}
                height={output.height ?? undefined}
              />
            )}
            <span class="name">{output.name}</span>
          </a>
          <span class="faint">
            {[
              output.width && output.height && `${output.width} × ${output.height}`,
              bytes(output.byteSize),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </li>
      ))}
    </ul>
  );
}
