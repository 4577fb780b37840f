import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { signOut, token } from "../session.js";
import { createWorkspace, WorkspaceContext, type Workspace } from "../workspace.js";
import { Desk } from "./desk.js";
import { SignIn } from "./sign-in.js";

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
