import { number } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { compose } from "./compose.js";
import { Icon } from "./icons.js";
import { ViewLinks } from "./top-bar.js";

/** On phones, the views and the next act at the lower edge. */
export function TabBar() {
  const { photos } = useWorkspace();
  const { value: count } = photos.count;
  return (
    <nav class="tab-bar" aria-label="Views and new job">
      <ViewLinks />
      <button type="button" onClick={compose}>
        <Icon name="plus" />
        New
        {count > 0 && <span class="badge">{number(count)}</span>}
      </button>
    </nav>
  );
}
