import { part, router } from "../../address/router.js";
import { number } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "../frame/compose.js";
import { Icon } from "../frame/icons.js";

const isComposing = part((address) => address.isComposing);

/** The actions on the selected photos. They take the place of the filters. */
export function SelectionBar() {
  const { library, photos } = useWorkspace();
  const { count, ids, isReading } = photos;
  const total = library.total.value;
  return (
    <div class="bar selection-bar" role="toolbar" aria-label="Selected photos">
      <button type="button" class="plain" aria-label="Clear the selection" onClick={photos.clear}>
        <Icon name="close" />
      </button>
      <h2>
        <span role="status">
          {number(count.value)}
          <span class="word"> {count.value === 1 ? "photo" : "photos"}</span> selected
        </span>
      </h2>
      {count.value < total && (
        <button type="button" class="plain" onClick={photos.chooseAll}>
          Select all {number(total)}
        </button>
      )}
      <span class="space" />
      <button
        type="button"
        class="as-zip"
        disabled={isReading.value}
        title="Makes one ZIP file of the selected photos"
        onClick={() => router.go({ isComposing: true, newJob: "archive" })}
      >
        <Icon name="download" size={18} />
        <span>ZIP</span>
      </button>
      <button
        type="button"
        class="danger"
        aria-label="Delete"
        disabled={isReading.value}
        onClick={() => photos.remove(ids.value)}
      >
        <Icon name="trash" size={18} />
        <span>Delete</span>
      </button>
      {!isComposing.value && (
        <button
          type="button"
          class="primary only-wide"
          disabled={isReading.value}
          onClick={compose}
        >
          <Icon name="plus" size={18} />
          <span>New job</span>
        </button>
      )}
    </div>
  );
}
