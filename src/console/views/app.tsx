import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { messageOf } from "../in-words.js";
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
      (created) => (isCurrent ? (workspace.value = created) : created.close()),
      (error: unknown) => {
        failure.value = messageOf(error);
        // The service may be restarting, so try again.
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
      <p>Upload photos, run jobs on them and watch the results arrive live.</p>
      {signedOutBecause.value && (
        <p role="alert" class="fault">
          {signedOutBecause.value}
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          Paste your token or sign-in link
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
          Get a link from <code>npm start</code>, or a token from{" "}
          <code>npm run token -- --email you@example.com</code>.
        </small>
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
