import { useEffect, useRef } from "preact/hooks";
import { part, router } from "../../address/router.js";
import { Icon } from "./icons.js";

const view = part((address) => address.view);
const text = part(({ view: shown, photos, jobs }) => (shown === "jobs" ? jobs.text : photos.text));

/** Time after the last key within which no search starts. */
const PAUSE_MS = 200;

/** Searches the view that is shown. The slash key leads to it. */
export function SearchField() {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  useEffect(() => {
    const receive = (event: KeyboardEvent): void => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", receive);
    return () => removeEventListener("keydown", receive);
  }, []);
  const search = (typed: string): void => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      const { photos, jobs } = router.address.peek();
      const changes =
        view.peek() === "jobs"
          ? { jobs: { ...jobs, text: typed } }
          : { photos: { ...photos, text: typed } };
      router.go(changes, { replace: true });
    }, PAUSE_MS);
  };
  return (
    <div class="search" role="search">
      <Icon name="search" size={18} />
      <input
        ref={field}
        type="search"
        aria-label={view.value === "jobs" ? "Search jobs" : "Search photos"}
        placeholder={view.value === "jobs" ? "Search jobs" : "Search file names"}
        value={text.value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => search(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest("input:not([type=checkbox]), textarea, select") !== null
  );
}
