import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { signOut, token } from "../session.js";
import { createWorkspace, WorkspaceContext } from "../workspace.js";
import type { Workspace } from "../workspace.js";
import { Desk } from "./desk.js";
import { SignIn } from "./sign-in.js";

export function App() {
  const workspace = useSignal<Workspace | null>(null);
  const failure = useSignal<string | null>(null);
  const current = token.value;

  useEffect(() => {
    if (current === null) return undefined;
    let isCurrent = true;
    failure.value = null;
    const onSignedOut = (why: string): void => void (isCurrent && signOut(why));
    createWorkspace({ token: current, onSignedOut }).then(
      (made) => (isCurrent ? (workspace.value = made) : made.close()),
      (error: unknown) => { failure.value = error instanceof Error ? error.message : String(error); },
    );
    return () => {
      isCurrent = false;
      workspace.value?.close();
      workspace.value = null;
    };
  }, [current]);

  if (current === null) return <SignIn />;
  if (!workspace.value) return <Opening failure={failure.value} />;
  return <WorkspaceContext.Provider value={workspace.value}><Desk /></WorkspaceContext.Provider>;
}

function Opening({ failure }: { failure: string | null }) {
  return (
    <main class="alone">
      <h1>Photo Service</h1>
      {failure === null ? <p aria-busy="true">Signing in…</p> : <><p role="alert">{failure}</p><button type="button" onClick={() => location.reload()}>Try again</button></>}
    </main>
  );
}
