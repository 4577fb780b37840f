import { signal } from "@preact/signals";

const KEY = "photo-service token";
/** Time in which other tabs answer with their token. */
const ASK_MS = 150;

/** Kept for this tab, and given to new tabs; null while signed out, undefined while others are asked. */
export const token = signal<string | null | undefined>(undefined);
/** Reason why the user was signed out. */
export const signedOutBecause = signal<string | null>(null);

type Message = { kind: "ask" } | { kind: "token"; token: string } | { kind: "signed-out" };
/** Reaches tabs of the same origin only. */
const tabs = new BroadcastChannel("photo-service session");

tabs.addEventListener("message", ({ data }: MessageEvent<Message>) => {
  if (data.kind === "ask" && token.value) send({ kind: "token", token: token.value });
  if (data.kind === "token" && token.value === undefined) signIn(data.token);
  if (data.kind === "signed-out" && token.value) forget(null);
});
// A BroadcastChannel takes no target origin; the rule means windows.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
const send = (message: Message): void => tabs.postMessage(message);

/** Takes the token of a sign-in link, of this tab, or of another tab. */
export function restoreSession(): void {
  // A link that is pasted into a tab with this page changes the part behind the # only.
  addEventListener("hashchange", takeLink);
  if (takeLink()) return;
  const stored = sessionStorage.getItem(KEY);
  if (stored) return void (token.value = stored);
  send({ kind: "ask" });
  setTimeout(() => {
    token.value ??= null;
  }, ASK_MS);
}

/** Removes the token from the address, so that it is not copied on. */
function takeLink(): boolean {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("token");
  if (fromLink !== null)
    history.replaceState(history.state, "", location.pathname + location.search);
  if (fromLink) signIn(fromLink);
  return Boolean(fromLink);
}

export function signIn(text: string): void {
  const bare = tokenIn(text);
  // This tab still keeps the selection of the previous user.
  if (token.value) sessionStorage.clear();
  sessionStorage.setItem(KEY, bare);
  signedOutBecause.value = null;
  token.value = bare;
}

export function signOut(why: string | null = null): void {
  // A token that was refused here may be fine in a tab that has a newer one.
  if (why === null) send({ kind: "signed-out" });
  forget(why);
}

function forget(why: string | null): void {
  sessionStorage.clear();
  signedOutBecause.value = why;
  token.value = null;
}

/** Extracts the token from a bare token, `Bearer …`, or a sign-in link. */
function tokenIn(text: string): string {
  const trimmed = text.trim();
  return /#token=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed.replace(/^Bearer\s+/i, "");
}
