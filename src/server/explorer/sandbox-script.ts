export const SANDBOX_ORIGINS = {
  script: "https://embeddable-sandbox.cdn.apollographql.com",
  frame: "https://sandbox.embed.apollographql.com",
};

/** For the script, which is small, to come. */
const SCRIPT_MS = 3000;
/** For the frame to say its first word once it was put there. */
const FRAME_MS = 10_000;

/**
 * Run by the page at `GET /graphql`: Apollo Sandbox, or the explorer that needs nothing from
 * outside.
 */
export const SANDBOX_SCRIPT = `const { authorization, operations } = JSON.parse(document.getElementById("options").textContent);
const endpoint = new URL("graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace("http", "ws");
const giveWay = () => location.replace(new URL("explorer/", location.href));
let late = setTimeout(giveWay, ${SCRIPT_MS});
addEventListener("message", ({ origin }) => origin === "${SANDBOX_ORIGINS.frame}" && clearTimeout(late));

function show() {
  clearTimeout(late);
  late = setTimeout(giveWay, ${FRAME_MS});
  new EmbeddedSandbox({
    target: "#sandbox",
    initialEndpoint: endpoint.href,
    initialSubscriptionEndpoint: socket.href,
    initialState: {
      document: operations.map(({ document }) => document).join("\\n"),
      variables: Object.assign({}, ...operations.map(({ variables }) => variables)),
      headers: {},
      sharedHeaders: authorization ? { authorization } : {},
      pollForSchemaUpdates: false,
    },
    runTelemetry: false,
    allowDynamicStyles: false,
  });
}

const script = document.createElement("script");
script.onload = show;
script.onerror = giveWay;
script.src = "${SANDBOX_ORIGINS.script}/_latest/embeddable-sandbox.umd.production.min.js";
document.head.append(script);
`;
