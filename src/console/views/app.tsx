import { useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { messageOf } from "../in-words.js";
import { signOut, token } from "../session.js";
import { createWorkspace, WorkspaceContext, type Workspace } from "../workspace.js";
import { Shell } from "./frame/shell.js";
import { SignIn } from "./sign-in.js";

const AGAIN_MS = 2000;

export function App() {
  const workspace = useSignal<Workspace | null>(null);
  const failure = useSignal<string | null>(null);
  const tries = useSignal(0);
  const current = token.value;

  // An effect would wait for the first paint, which delays the first requests by 20 ms.
  useLayoutEffect(() => {
    if (!current) return undefined;
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

  if (current === undefined) return null;
  if (current === null) return <SignIn />;
  if (!workspace.value) return <Opening failure={failure.value} />;
  return (
    <WorkspaceContext.Provider value={workspace.value}>
      <Shell />
    </WorkspaceContext.Provider>
  );
}

function Opening({ failure }: { failure: string | null }) {
  return (
    <main class="alone is-opening">
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
