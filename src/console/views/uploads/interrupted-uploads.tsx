import { plural } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { UploadButton } from "./upload-button.js";

const MAX_NAMES = 5;

/** Asks for the files whose uploads a reload has ended. */
export function InterruptedUploads() {
  const { interrupted } = useWorkspace();
  const { length } = interrupted.files.value;
  if (length === 0) return null;
  const names = interrupted.files.value.slice(0, MAX_NAMES).map(({ name }) => name);
  const others = length > MAX_NAMES ? ` and ${plural(length - MAX_NAMES, "other")}` : "";
  return (
    <div class="interrupted" role="alert">
      <strong>{plural(length, "upload")} interrupted</strong>
      <p>
        The page was reloaded before they arrived. Choose the same files again to go on:{" "}
        {names.join(", ")}
        {others}.
      </p>
      <span class="buttons">
        <UploadButton label="Choose files" className="small primary" />
        <button type="button" class="small" onClick={interrupted.dismiss}>
          Dismiss
        </button>
      </span>
    </div>
  );
}
