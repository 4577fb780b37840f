import { ANY_PHOTO, isSearching } from "../../address/address.js";
import { part, router } from "../../address/router.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { UploadButton } from "../uploads/upload-button.js";
import { FilterBar } from "./filter-bar.js";
import { PhotoGrid } from "./photo-grid.js";
import { SelectionBar } from "./selection-bar.js";

const search = part(({ photos }) => photos);

export function PhotosView() {
  const { library, photos } = useWorkspace();
  const { total, isCounted, fault } = library;
  return (
    <div class="photos-view">
      {photos.count.value > 0 ? <SelectionBar /> : <FilterBar />}
      {fault.value && (
        <p role="alert" class="fault banner">
          {fault.value}{" "}
          <button type="button" class="small" onClick={() => void library.read()}>
            Try again
          </button>
        </p>
      )}
      {isCounted.value && total.value === 0 ? (
        <Empty />
      ) : (
        <PhotoGrid key={searchKey.value} search={searchKey.value} />
      )}
    </div>
  );
}

/** Another search begins at the top, in another grid. */
const searchKey = part(({ photos }) => JSON.stringify(photos));

function Empty() {
  const { limits } = useWorkspace();
  const { maxUploadBytes, maxPhotoPixels } = limits.value;
  if (isSearching(search.value))
    return (
      <div class="empty">
        <Icon name="search" size={40} />
        <h2>No photos match</h2>
        <p>Try other words or fewer conditions.</p>
        <button
          type="button"
          class="primary"
          onClick={() => router.go({ photos: { ...ANY_PHOTO, order: search.value.order } })}
        >
          Clear the search
        </button>
      </div>
    );
  return (
    <div class="empty">
      <span class="stack" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      <h2>Your photos start here</h2>
      <p>
        Drop them anywhere on this page, paste them, or choose files. JPEG, PNG, WebP, GIF, TIFF,
        AVIF and HEIC, up to {Math.round(maxUploadBytes / 1048576)} MB and{" "}
        {Math.round(maxPhotoPixels / 1e6)} megapixels.
      </p>
      <p class="buttons">
        <UploadButton label="Add photos" />
        <UploadButton label="Take a photo" icon="camera" camera className="camera" />
      </p>
    </div>
  );
}
