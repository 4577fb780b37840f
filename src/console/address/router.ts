import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { formatAddress, parseAddress, withSameParts, type Address } from "./address.js";

interface Router {
  readonly address: ReadonlySignal<Address>;
  /** Shows the address. By default it becomes a new entry of the history. */
  go(changes: Partial<Address>, options?: { replace?: boolean }): void;
  /** Goes back if the present entry opened this cover, else replaces the entry. */
  close(cover: Cover): void;
  /** Attributes of a link: a plain click changes the page, any other is left to the browser. */
  link(changes: Partial<Address>): { href: string; onClick(event: MouseEvent): void };
}

/** Parts of the page that open above or beside a view, and are closed again. */
type Cover = "photo" | "job" | "group" | "newJob";

const CLOSED = {
  photo: { photo: null },
  job: { job: null },
  group: { group: null, job: null },
  newJob: { isComposing: false },
} satisfies Record<Cover, Partial<Address>>;

interface Entry {
  /** The part that this entry of the history has opened. */
  opened: Cover | null;
}

const current = signal(parseAddress(location.search));
addEventListener("popstate", () => show(parseAddress(location.search)));

function show(address: Address): void {
  current.value = withSameParts(address, current.peek());
}

function go(changes: Partial<Address>, { replace = false } = {}): void {
  const before = current.peek();
  const next = { ...before, ...changes };
  const url = formatAddress(next);
  if (replace || url === location.pathname + location.search)
    history.replaceState(history.state, "", url);
  else history.pushState({ opened: openedBy(before, next) } satisfies Entry, "", url);
  show(next);
}

function openedBy(before: Address, next: Address): Cover | null {
  if (before.view !== next.view) return null;
  if (before.photo === null && next.photo !== null) return "photo";
  if (!before.isComposing && next.isComposing) return "newJob";
  if (before.group !== next.group) return before.group === null ? "group" : null;
  return before.job === null && next.job !== null ? "job" : null;
}

function close(cover: Cover): void {
  if ((history.state as Entry | null)?.opened === cover) history.back();
  else go(CLOSED[cover], { replace: true });
}

/** The address of the page, as the browser's history has it. */
export const router: Router = {
  address: current,
  go,
  close,
  link: (changes) => ({
    href: formatAddress({ ...current.value, ...changes }),
    onClick(event) {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      go(changes);
    },
  }),
};

/** One part of the address, so that others do not redraw what depends on it. */
export function part<Value>(read: (address: Address) => Value): ReadonlySignal<Value> {
  return computed(() => read(current.value));
}
