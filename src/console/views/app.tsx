import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { signOut, token, signedOutBecause, signIn } from "../session.js";
import { createWorkspace, WorkspaceContext, type Workspace } from "../workspace.js";
import { Desk } from "./desk.js";

const AGAIN_MS = 2000;

export function App() {
  const workspace = useSignal<Workspace | null>(null);
  const failure = useSignal<string | null>(null);
  const tries = useSignal(0);
  const current = token.value;

  useEffect(() => {
    if (current === null) return undefined;
    let isCurrent = true;
    let timer = 0;
    const onSignedOut = (why: string): void => void (isCurrent && signOut(why));
    createWorkspace({ token: current, onSignedOut }).then(
      (made) => (isCurrent ? (workspace.value = made) : made.close()),
      (error: unknown) => {
        failure.value = error instanceof Error ? error.message : String(error);
        // A service that is being started again is back in a moment.
        if (isCurrent)
          timer = window.setTimeout(() => {
            tries.value++;
          }, AGAIN_MS);
      },
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
      failure.value = null;
      workspace.value?.close();
      workspace.value = null;
    };
  }, [current, tries.value]);

  if (current === null) return <SignIn />;
  if (!workspace.value) return <Opening failure={failure.value} />;
  return (
    <WorkspaceContext.Provider value={workspace.value}>
      <Desk />
    </WorkspaceContext.Provider>
  );
}

function Opening({ failure }: { failure: string | null }) {
  return (
    <main class="alone">
      <h1>Photo Service</h1>
      {failure === null ? (
        <p aria-busy="true">Signing in…</p>
      ) : (
        <>
          <p role="alert">{failure}</p>
          <p aria-busy="true" class="faint">
            Trying again…
          </p>
        </>
      )}
    </main>
  );
}

function SignIn() {
  const text = useSignal("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.value.trim()) signIn(text.value);
  };
  return (
    <main class="alone">
      <h1>Photo Service</h1>
      <p>Upload photos, submit jobs on them, and watch every step arrive.</p>
      {signedOutBecause.value && (
        <p role="alert" class="fault">
          {signedOutBecause.value}
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          Token, or the sign-in link
          <input
            type="password"
            autocomplete="off"
            spellcheck={false}
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
            aria-describedby="where-from"
          />
        </label>
        <small id="where-from">
          <code>npm start</code> prints a link that signs in by itself;{" "}
          <code>npm run token -- --email you@example.com</code> prints a token.
        </small>
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
