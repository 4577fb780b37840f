import { signal } from "@preact/signals";

const STEP_MS = 10_000;

/** The time that "12 s ago" is counted from; it moves on while the page is in sight. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, STEP_MS);
