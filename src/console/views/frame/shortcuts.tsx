import { useEffect, useRef } from "preact/hooks";
import { isTyping } from "./search-field.js";

const SHORTCUTS: [keys: string, what: string][] = [
  ["/", "Search"],
  ["↑ ↓ ← →", "Move through photos or jobs"],
  ["Enter", "Open"],
  ["Space", "Select"],
  ["Shift + arrow", "Select a range"],
  ["Ctrl + A", "Select all"],
  ["Delete", "Delete the selected photos"],
  ["Esc", "Close, or clear the selection"],
  ["+ − 0", "Zoom in, out, or show the whole photo"],
  ["I", "Information on the photo"],
  ["X", "Select the photo that is shown"],
  ["N", "New job on the photo that is shown"],
];

/** The keys of the page. The question mark shows them. */
export function Shortcuts() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const receive = (event: KeyboardEvent): void => {
      if (event.key === "?" && !isTyping(event.target)) box.current?.togglePopover();
    };
    addEventListener("keydown", receive);
    return () => removeEventListener("keydown", receive);
  }, []);
  return (
    <div
      id="shortcuts"
      class="menu"
      popover="auto"
      role="group"
      aria-label="Keyboard shortcuts"
      ref={box}
    >
      <h2>Keyboard shortcuts</h2>
      <dl class="facts">
        {SHORTCUTS.map(([keys, what]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
