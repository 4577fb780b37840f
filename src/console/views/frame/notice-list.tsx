import { useWorkspace } from "../../workspace.js";
import { Icon } from "./icons.js";

export function NoticeList() {
  const { notices } = useWorkspace();
  return (
    <div class="notices">
      {notices.list.value.map(({ id, text, isFault, action }) => (
        <div key={id} class={isFault ? "notice is-fault" : "notice"}>
          <span role={isFault ? "alert" : "status"}>{text}</span>
          {action && (
            <button type="button" class="small" onClick={action.run}>
              {action.label}
            </button>
          )}
          <button
            type="button"
            class="plain"
            aria-label="Dismiss"
            onClick={() => notices.dismiss(id)}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
