import { useRef } from "preact/hooks";
import { useWorkspace } from "../../workspace.js";
import { Icon, type IconName } from "../frame/icons.js";

const ACCEPTED = "image/*,.heic,.heif,.avif";

/** A button that opens the browser's choice of files, or a phone's camera. */
export function UploadButton({
  label = "Upload",
  icon = "upload",
  camera = false,
  className = "primary upload",
}: {
  label?: string;
  icon?: IconName;
  camera?: boolean;
  className?: string;
}) {
  const { uploads } = useWorkspace();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class={className}
        aria-label={label}
        onClick={() => input.current?.click()}
      >
        <Icon name={icon} size={18} />
        <span>{label}</span>
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple={!camera}
        accept={camera ? "image/*" : ACCEPTED}
        {...(camera && { capture: "environment" as const })}
        onChange={(event) => {
          uploads.add(event.currentTarget.files ?? []);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
