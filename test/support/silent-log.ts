import { createLoggerTo } from "../../src/logger.js";

export const silentLog = createLoggerTo({ write: () => {} });
