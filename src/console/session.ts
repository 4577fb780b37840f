import { signal } from "@preact/signals";

const KEY = "photo-service token";

/** Kept for this tab only; null while signed out. */
export const token = signal<string | null>(null);
/** Reason why the user was signed out. */
export const signedOutBecause = signal<string | null>(null);

/** Takes the token of a sign-in link, and removes it from the address so it is not copied on. */
export function restoreSession(): void {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("token");
  if (fromLink !== null) history.replaceState(null, "", location.pathname + location.search);
  if (fromLink) signIn(fromLink);
  else token.value = sessionStorage.getItem(KEY);
}

export function signIn(text: string): void {
  const bare = tokenIn(text);
  sessionStorage.setItem(KEY, bare);
  signedOutBecause.value = null;
  token.value = bare;
}

export function signOut(why: string | null = null): void {
  sessionStorage.removeItem(KEY);
  signedOutBecause.value = why;
  token.value = null;
}

/** Extracts the token from a bare token, `Bearer …`, or a sign-in link. */
function tokenIn(text: string): string {
  const trimmed = text.trim();
  return /#token=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed.replace(/^Bearer\s+/i, "");
}
