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
