/**
 * The page with Google's button. It exchanges the ID token for a token of the photo service, and
 * opens the service's own page with it; your app would keep the token and send it.
 */
export function signInPage(values: {
  clientId: string;
  nonce: string;
  /** Allows the script of this page only. */
  scriptNonce: string;
  serviceUrl: string;
}): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Sign in</title>
  <h1>Photo Service</h1>
  <div id="g_id_onload" data-client_id="${escape(values.clientId)}" data-nonce="${values.nonce}"
    data-callback="signIn"></div>
  <div class="g_id_signin"></div>
  <p id="status" role="status"></p>
  <script nonce="${values.scriptNonce}">
    async function signIn({ credential }) {
      const response = await fetch("/session", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ credential }),
      });
      const { token, message } = await response.json();
      if (token) location.assign(${script(values.serviceUrl)} + "/#token=" + token);
      else document.getElementById("status").textContent = message;
    }
  </script>
  <script nonce="${values.scriptNonce}" src="https://accounts.google.com/gsi/client" async></script>
</html>
`;
}

/** Headers that Google's button needs, and that allow nothing else. */
export function pageHeaders(scriptNonce: string): Record<string, string> {
  const google = "https://accounts.google.com/gsi/";
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": [
      "default-src 'none'",
      `script-src 'nonce-${scriptNonce}' ${google}client`,
      `style-src 'unsafe-inline' ${google}style`,
      `frame-src ${google}`,
      `connect-src 'self' ${google}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    // Google's window reports the sign-in to the page that has opened it.
    "cross-origin-opener-policy": "same-origin-allow-popups",
    // Google reads the origin, on http://localhost too.
    "referrer-policy": "no-referrer-when-downgrade",
    "cache-control": "no-store",
  };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

function script(text: string): string {
  return JSON.stringify(text).replaceAll("<", "\\u003c");
}
