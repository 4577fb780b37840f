// Run `npm ci && npm run dev` while `npm start` runs the service. VITE_API sets another service
// address; that service must allow this page's origin.
import { ApolloProvider } from "@apollo/client/react";
import { StrictMode, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { createApolloClient, JobList } from "./live-jobs";

const API = import.meta.env.VITE_API ?? "http://127.0.0.1:4000";

function App() {
  const [token, setToken] = useState<string | null>(null);
  const client = useMemo(
    () => (token === null ? null : createApolloClient(API, async () => token)),
    [token],
  );
  if (client)
    return (
      <ApolloProvider client={client}>
        <JobList />
      </ApolloProvider>
    );
  return (
    <form action={(fields) => setToken(String(fields.get("token")).trim())}>
      <label>
        Token <input name="token" type="password" required />
      </label>{" "}
      <button type="submit">Sign in</button>
      <p>
        <code>npm run token -- --email you@example.com</code> prints a token.
      </p>
    </form>
  );
}

createRoot(document.getElementById("root") ?? document.body).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
