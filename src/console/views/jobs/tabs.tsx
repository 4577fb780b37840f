import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** Tabs, of which one is shown. If the chosen one is absent, the first is shown. */
export function Tabs({
  parts,
  chosen,
}: {
  parts: Record<string, () => ComponentChildren>;
  chosen: Signal<string>;
}) {
  const names = Object.keys(parts);
  const shown = parts[chosen.value] ? chosen.value : (names[0] ?? "");
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = names.at((names.indexOf(shown) + step) % names.length) ?? shown;
    chosen.value = next;
    const list = event.currentTarget as HTMLElement;
    list.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label="Parts of the job" onKeyDown={move}>
        {names.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            data-tab={name}
            aria-selected={name === shown}
            aria-controls="tab-panel"
            tabIndex={name === shown ? 0 : -1}
            onClick={() => {
              chosen.value = name;
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${shown}`} key={shown}>
        {parts[shown]?.()}
      </div>
    </>
  );
}
