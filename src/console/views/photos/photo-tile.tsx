import { router } from "../../address/router.js";
import { isChosen } from "../../grid/selection.js";
import type { Place } from "../../grid/steps.js";
import type { Photo } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { Preview } from "../preview.js";
import { memo } from "./memo.js";

/** Time in which an uploaded photo arrives with a movement. */
const FRESH_MS = 5000;

interface PhotoTileProps {
  /** Undefined until it has been read. */
  photo: Photo | undefined;
  place: Place;
  isCurrent: boolean;
  left: number;
  top: number;
  size: number;
}

export const PhotoTile = memo(({ photo, place, isCurrent, left, top, size }: PhotoTileProps) => {
  const { deletions } = useWorkspace();
  const isLeaving = photo !== undefined && deletions.leaving.value.has(photo.id);
  const isNew = photo !== undefined && Date.now() - Date.parse(photo.createdAt) < FRESH_MS;
  const style = {
    transform: `translate(${left}px, ${top}px)`,
    width: `${size}px`,
    height: `${size}px`,
  };
  return (
    <li
      class={`tile${isLeaving ? " is-leaving" : ""}${isNew ? " is-new" : ""}`}
      style={style}
      data-place={`${place.index}.${place.position}`}
    >
      {photo ? <Content photo={photo} place={place} isCurrent={isCurrent} side={size} /> : null}
    </li>
  );
});

interface ContentProps extends Pick<PhotoTileProps, "place" | "isCurrent"> {
  photo: Photo;
  side: number;
}

function Content({ photo, place, isCurrent, side }: ContentProps) {
  const { photos } = useWorkspace();
  const isOn = isChosen(photos.chosen.value, photo.id);
  const link = router.link({ photo: photo.id });
  const open = (event: MouseEvent): void => {
    if (event.shiftKey || (photos.count.peek() > 0 && event.button === 0 && !event.ctrlKey)) {
      event.preventDefault();
      choose(event);
    } else link.onClick(event);
  };
  const choose = (event: MouseEvent): void => {
    if (event.shiftKey) void photos.chooseTo(place);
    else photos.toggle(photo.id);
  };
  return (
    <>
      <a
        class={isCurrent ? "tab-stop" : ""}
        href={link.href}
        onClick={open}
        tabIndex={isCurrent ? 0 : -1}
        draggable={false}
        title={photo.filename}
      >
        <Preview photo={photo} isNamed side={side} />
      </a>
      <button
        type="button"
        class="choose"
        tabIndex={-1}
        aria-pressed={isOn}
        aria-label={photo.filename}
        onClick={choose}
      >
        <Icon name="check" size={16} />
      </button>
      {photo.damaged && (
        <span class="flag is-bad" title={photo.damaged}>
          damaged
        </span>
      )}
      {photo.madeBy && !photo.damaged && <span class="flag">kept</span>}
    </>
  );
}
