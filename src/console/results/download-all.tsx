import { useSignal } from "@preact/signals";
import type { OutputFile } from "../../../client/src/index.js";
import { messageOf } from "../in-words.js";
import { Icon } from "../views/frame/icons.js";
import { saveFile } from "../views/save-file.js";
import { useWorkspace } from "../workspace.js";
import { zipOf } from "./zip.js";

/** Saves all files as one ZIP file, which is made here. */
export function DownloadAll({ outputs, name }: { outputs: readonly OutputFile[]; name: string }) {
  const { notices } = useWorkspace();
  const isBusy = useSignal(false);
  // The page may not read files of a storage at another origin.
  const isReadable = outputs.every(({ url }) => new URL(url, location.href).host === location.host);
  if (outputs.length < 2 || !isReadable) return null;
  async function download(): Promise<void> {
    isBusy.value = true;
    try {
      const url = URL.createObjectURL(zipOf(await Promise.all(outputs.map(read))));
      saveFile(url, `${name}.zip`);
      setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
    } catch (error) {
      notices.fault(messageOf(error));
    }
    isBusy.value = false;
  }
  return (
    <p>
      <button
        type="button"
        class="small"
        disabled={isBusy.value}
        aria-busy={isBusy.value}
        onClick={() => void download()}
      >
        <Icon name="download" size={16} />
        Download all (ZIP)
      </button>
    </p>
  );
}

/** Time in which the browser starts to save the file. */
const KEPT_MS = 60_000;

async function read({ name, url }: OutputFile) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${name} cannot be read: HTTP ${response.status}. Try again.`);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}
