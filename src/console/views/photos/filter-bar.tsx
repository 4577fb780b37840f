import { useRef } from "preact/hooks";
import { ANY_PHOTO, type PhotoSearch, isSearching } from "../../address/address.js";
import { part, router } from "../../address/router.js";
import { dayName } from "../../grid/day-names.js";
import { number } from "../../in-words.js";
import { useWorkspace } from "../../workspace.js";
import { Icon } from "../frame/icons.js";
import { useChosenInSight } from "../frame/use-chosen-in-sight.js";

const search = part(({ photos }) => photos);

function change(changes: Partial<PhotoSearch>): void {
  router.go({ photos: { ...search.peek(), ...changes } });
}

/** The number of photos, and what narrows them. */
export function FilterBar() {
  const { library } = useWorkspace();
  const { order, kind } = search.value;
  const row = useChosenInSight(search.value, library.cameras.value);
  return (
    <div class="bar filter-bar">
      <h2>
        Photos {library.isCounted.value && <span class="count">{number(library.total.value)}</span>}
      </h2>
      <div class="chips-row" ref={row}>
        <DateChip />
        <CameraChip />
        <select
          class={kind ? "chip is-on" : "chip"}
          aria-label="Origin"
          value={kind}
          onChange={(event) => change({ kind: event.currentTarget.value as PhotoSearch["kind"] })}
        >
          <option value="">All kinds</option>
          <option value="uploads">Uploads</option>
          <option value="kept">Kept results</option>
          <option value="damaged">Damaged</option>
        </select>
        <Conditions />
        <select
          class="chip is-order"
          aria-label="Order"
          value={order}
          onChange={(event) => change({ order: event.currentTarget.value as "taken" | "added" })}
        >
          <option value="taken">By date taken</option>
          <option value="added">Recently added</option>
        </select>
      </div>
    </div>
  );
}

/** Conditions that were set elsewhere, each with a button that takes it away. */
function Conditions() {
  const { text, like, near } = search.value;
  const chip = (label: string, changes: Partial<PhotoSearch>) => (
    <button type="button" class="chip is-on" onClick={() => change(changes)}>
      {label}
      <Icon name="close" size={14} />
    </button>
  );
  return (
    <>
      {text && chip(`“${text}”`, { text: "" })}
      {like && chip("Look alike", { like: "" })}
      {near && chip("Near this place", { near: "" })}
      {isSearching(search.value) && (
        <button
          type="button"
          class="plain clear"
          onClick={() => change({ ...ANY_PHOTO, order: search.value.order })}
        >
          Clear
        </button>
      )}
    </>
  );
}

function DateChip() {
  const { from, to } = search.value;
  const menu = useRef<HTMLDivElement>(null);
  const label = from || to ? [from, to].map((day) => day && dayName(day)).join(" – ") : "Any date";
  return (
    <>
      <button type="button" class={from || to ? "chip is-on" : "chip"} popovertarget="dates">
        {label}
        <Icon name="down" size={14} />
      </button>
      <div id="dates" class="menu" popover="auto" ref={menu}>
        <label>
          Taken from
          <input
            type="date"
            value={from}
            max={to || undefined}
            onChange={(event) => change({ from: event.currentTarget.value })}
          />
        </label>
        <label>
          Taken until
          <input
            type="date"
            value={to}
            min={from || undefined}
            onChange={(event) => change({ to: event.currentTarget.value })}
          />
        </label>
        <button type="button" onClick={() => change({ from: "", to: "" })}>
          Any date
        </button>
      </div>
    </>
  );
}

function CameraChip() {
  const { library } = useWorkspace();
  const { camera } = search.value;
  const cameras = library.cameras.value;
  if (cameras.length === 0 && !camera) return null;
  const all = cameras.includes(camera) || !camera ? cameras : [camera, ...cameras];
  return (
    <select
      class={camera ? "chip is-on" : "chip"}
      aria-label="Camera"
      value={camera}
      onChange={(event) => change({ camera: event.currentTarget.value })}
    >
      <option value="">Any camera</option>
      {all.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
