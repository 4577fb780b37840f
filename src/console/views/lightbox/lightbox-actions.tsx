import type { Signal } from "@preact/signals";
import { ANY_PHOTO } from "../../address/address.js";
import { router } from "../../address/router.js";
import { isChosen } from "../../grid/selection.js";
import type { Photo } from "../../types.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "../frame/compose.js";
import { Icon, type IconName } from "../frame/icons.js";

export function LightboxActions({
  photo,
  isInfoOpen,
  onZoom,
}: {
  photo: Photo;
  isInfoOpen: Signal<boolean>;
  onZoom(): void;
}) {
  const { photos } = useWorkspace();
  const isOn = isChosen(photos.chosen.value, photo.id);
  const remove = (): void => {
    photos.remove([photo.id]);
    router.close("photo");
  };
  const alike = (): void =>
    router.go({ view: "photos", photo: null, photos: { ...ANY_PHOTO, like: photo.id } });
  return (
    <div class="actions">
      <Action
        icon="plus"
        label="New job"
        onClick={() => (photos.choose([photo.id], true), compose())}
      />
      <Action icon="check" label="Select" isOn={isOn} onClick={() => photos.toggle(photo.id)} />
      <Action icon="zoom" label="Zoom in" isWide onClick={onZoom} />
      <Action icon="alike" label="Find look-alikes" isWide onClick={alike} />
      <a
        class="plain action"
        href={photo.url}
        download={photo.filename}
        target="_blank"
        rel="noreferrer"
        aria-label="Download"
        title="Download"
      >
        <Icon name="download" />
      </a>
      <Action icon="trash" label="Delete" onClick={remove} />
      <Action
        icon="info"
        label="Information"
        isOn={isInfoOpen.value}
        onClick={() => {
          isInfoOpen.value = !isInfoOpen.value;
        }}
      />
    </div>
  );
}

function Action({
  icon,
  label,
  isOn,
  isWide = false,
  onClick,
}: {
  icon: IconName;
  label: string;
  isOn?: boolean;
  isWide?: boolean;
  onClick(): void;
}) {
  return (
    <button
      type="button"
      class={isWide ? "plain action is-wide" : "plain action"}
      aria-label={label}
      title={label}
      {...(isOn !== undefined && { "aria-pressed": isOn })}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
