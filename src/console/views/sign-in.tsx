import { useSignal } from "@preact/signals";
import { signedOutBecause, signIn } from "../session.js";

export function SignIn() {
  const text = useSignal("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.value.trim()) signIn(text.value);
  };
  return (
    <main class="alone">
      <img src="/console/icon.svg" alt="" width="48" height="48" />
      <h1>Photo Service</h1>
      <p class="faint">Upload photos, run jobs on them and watch the results arrive live.</p>
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
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </main>
  );
}
