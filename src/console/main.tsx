import { render } from "preact";
import { restoreSession } from "./session.js";
import { App } from "./views/app.js";

restoreSession();
render(<App />, document.body);
