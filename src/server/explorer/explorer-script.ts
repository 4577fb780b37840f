/**
 * Run by the page at `/explorer/` once Altair is there. Nothing is kept from one visit to the next:
 * a tab that was kept would hold the token of then.
 */
export const EXPLORER_SCRIPT = `const { authorization, operations } = JSON.parse(document.getElementById("options").textContent);
const endpoint = new URL("../graphql", location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol.replace("http", "ws");
const common = {
  endpointURL: endpoint.href,
  subscriptionsEndpoint: socket.href,
  subscriptionsProtocol: "graphql-ws",
  initialSubscriptionRequestHandlerId: "graphql-ws",
  initialHeaders: authorization ? { authorization } : {},
  initialSubscriptionsPayload: authorization ? { authorization } : {},
};
const settings = { theme: "system", "theme.dark": "dracula", "schema.reloadOnStart": true, "banners.disable": true, "alert.disableUpdateNotification": true, disablePushNotification: true };
AltairGraphQL.init({
  ...common,
  initialWindows: operations.map(({ title, document, variables }) => ({ ...common, initialName: title, initialQuery: document, initialVariables: JSON.stringify(variables ?? {}, null, 2) })),
  initialSettings: settings,
  persistedSettings: settings,
  preserveState: false,
  disableAccount: true,
});
`;
